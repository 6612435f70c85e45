/** An evaluation's passes, with a policy that says what the test wants. */
import { describe, expect, it } from 'vitest';
import { makeDataset } from '../../main/data/dataset.ts';
import { type EvaluationSubject, evaluateModel } from '../../main/runner/evaluate.ts';
import type { EvaluationAnswer } from '../../main/runner/evaluation-answers.ts';
import { answersWanted, checkEvaluateConfig } from '../../main/runner/evaluation-plan.ts';
import { checkExamples, drawExamples, type Examples } from '../../main/runner/few-shot.ts';
import { EvaluateConfig } from '../../shared/config.ts';
import type { Question } from '../../shared/question.ts';
import { type Script, scriptedModel } from '../fixtures/scripted-policy.ts';

const letterQuestion = (i: number): Question => ({
  id: `q${i}`,
  dataset: 'medmcqa',
  split: 'dev',
  kind: 'letter',
  question: `Which one is number ${i}?`,
  options: ['north', 'east', 'south', 'west'],
  gold: 'ABCD'[i % 4] as string,
});
const numberQuestion = (i: number): Question => ({
  id: `n${i}`,
  dataset: 'arithmetic',
  split: 'test',
  kind: 'number',
  question: `What is ${i} plus 10?`,
  unit: null,
  gold: String(i + 10),
});
const dataOf = (questions: Question[]) => makeDataset({ name: 'set', split: 'test', source: '', licence: '', questions });
const letters = dataOf(Array.from({ length: 10 }, (_, i) => letterQuestion(i)));
const sums = dataOf(Array.from({ length: 10 }, (_, i) => numberQuestion(i)));

async function subjectOf(script: Script, data = letters, examples: Examples | null = null): Promise<EvaluationSubject> {
  return { model: await scriptedModel(script), name: 'scripted', hash: 'h', data, examples, lineage: null, marks: [] };
}
const configOf = (more: object) => EvaluateConfig.parse({ kind: 'evaluate', data: { test: 'set' }, ...more });

describe('likelihood', () => {
  it('answers the likeliest option and keeps every score; nothing written is measured (bug: 0 tokens read as free answers)', async () => {
    const subject = await subjectOf({ score: (_, continuation) => (continuation === ' C' ? -0.5 : -2) });
    const { evaluation, items } = await evaluateModel(subject, configOf({ mode: 'likelihood' }));
    expect(items.map(({ answer }) => answer)).toEqual(Array(10).fill('C'));
    expect(items[0]?.logprobs).toEqual([-2, -2, -0.5, -2]);
    expect(evaluation).toMatchObject({
      accuracy: 0.2,
      acc_norm: 0.2,
      template: 'raw',
      decoding: null,
      max_tokens: null,
      tokens_per_correct: null,
      seed_efficiency: null,
      legacy10: null,
      invalid_rate: 0,
      letters: { A: 0, B: 0, C: 10, D: 0 },
    });
    const sure = Math.exp(-0.5) / (Math.exp(-0.5) + 3 * Math.exp(-2));
    expect(evaluation.calibration?.ece).toBeCloseTo(Math.abs(0.2 - sure), 6);
  });
  it('refuses what only written answers have', () => {
    for (const more of [{ samples: 2, temperature: 1 }, { budgets: [8] }, { prompt: { answer_prefix: 'So' } }])
      expect(() => checkEvaluateConfig(configOf({ mode: 'likelihood', ...more }), letters.questions)).toThrow(/likelihood/);
  });
});

it('a question whose source withholds the answer is refused, not counted as wrong', () =>
  expect(() => checkEvaluateConfig(configOf({}), [{ ...letterQuestion(1), gold: '' }])).toThrow(/q1.*no gold answer/));

describe('samples', () => {
  it('leave the greedy answer as the one that counts (bug: accuracy of a sampled answer)', async () => {
    const say: Script['say'] = (prompt, sample, temperature) => {
      const i = Number(/is (\d+) plus/.exec(prompt)?.[1]);
      return temperature === 0 ? `Answer: ${i + 10}` : `Answer: ${sample % 2 === 0 ? i + 10 : 0}`;
    };
    const { evaluation, items } = await evaluateModel(await subjectOf({ say }, sums), configOf({ samples: 4, temperature: 0.8 }));
    expect(evaluation.accuracy).toBe(1);
    expect(evaluation.decoding?.temperature).toBe(0);
    expect(evaluation.samples).toMatchObject({ k: 4, temperature: 0.8, accuracy: { value: 0.5 }, self_consistency: { value: 1 } });
    expect(items[3]?.samples?.map(({ answer }) => answer)).toEqual(['13', '0', '13', '0']);
  });
  it('at temperature 0 are refused: all would be the same', () =>
    expect(() => checkEvaluateConfig(configOf({ samples: 4 }), sums.questions)).toThrow('temperature'));
});

describe('budgets', () => {
  it('force an answer where none was given, and only there (bug: an answer behind the cut counts)', async () => {
    const say: Script['say'] = (prompt) => {
      const i = Number(/is (\d+) plus/.exec(prompt)?.[1]);
      // Forced: the model can only guess 1 more than the question's number.
      return prompt.endsWith('\nAnswer:') ? ` ${i + 1}\nAnswer: 99` : `First we take ${i} and then we add 10 to it.\nAnswer: ${i + 10}`;
    };
    const { evaluation, items } = await evaluateModel(await subjectOf({ say }, sums), configOf({ budgets: [200, 4, 4] }));
    expect(evaluation.accuracy).toBe(1);
    expect(evaluation.budgets).toEqual([
      { tokens: 4, accuracy: 0, forced: 1 },
      { tokens: 200, accuracy: 1, forced: 0 },
    ]);
    expect(items[2]?.budgets).toEqual([
      { answer: '3', correct: false, forced: true },
      { answer: '12', correct: true, forced: false },
    ]);
  });
});

describe('rotated options', () => {
  it('show a model that always says A, in writing and by likelihood', async () => {
    for (const mode of ['generation', 'likelihood']) {
      const subject = await subjectOf({ say: () => 'Answer: A', score: (_, continuation) => (continuation.endsWith('A') ? -1 : -2) });
      const { evaluation, items } = await evaluateModel(subject, configOf({ mode, rotate_options: true }));
      expect(evaluation.position_bias?.by_position.A).toEqual({ n: 10, accuracy: 1 });
      expect(evaluation.position_bias?.by_position.D).toEqual({ n: 10, accuracy: 0 });
      expect(evaluation.position_bias?.consistency).toBe(0);
      expect(items[5]?.rotations).toHaveLength(4);
    }
  });
  it('show a model that knows the option', async () => {
    const say: Script['say'] = (prompt) => `Answer: ${/([A-D])\. south/.exec(prompt)?.[1]}`;
    const { evaluation } = await evaluateModel(await subjectOf({ say }), configOf({ rotate_options: true }));
    expect(evaluation.position_bias?.consistency).toBe(1);
  });
  it('are refused where there are no letters', () =>
    expect(() => checkEvaluateConfig(configOf({ rotate_options: true }), sums.questions)).toThrow('rotate_options'));
});

describe('stopped and gone on with', () => {
  it.each([
    ['generation', { samples: 3, temperature: 1, budgets: [3, 8], rotate_options: true }],
    ['likelihood', { rotate_options: true }],
  ])('%s gives the same items wherever it stopped, and asks nothing twice', async (mode, more) => {
    const script: Script = {
      say: (prompt, sample, temperature) =>
        `Thinking of ${prompt.length} things.\nAnswer: ${'ABCD'[(prompt.length + sample * temperature) % 4]}`,
      score: (prompt, continuation) => -((prompt.length * 7 + continuation.charCodeAt(1)) % 13) / 10,
    };
    const config = configOf({ mode, ...more });
    const whole = await evaluateModel(await subjectOf(script), config);
    for (const stopAt of [1, 9, 17, 40, 60]) {
      const kept: EvaluationAnswer[] = [];
      const halt = new Error('halt');
      let asked = 0;
      const before = () => {
        if (++asked > stopAt) throw halt;
      };
      const first = evaluateModel(await subjectOf({ ...script, before }), config, { onAnswer: (answer) => kept.push(answer) });
      await expect(first).rejects.toBe(halt);
      // Through JSON, as the run folder keeps them.
      const known: EvaluationAnswer[] = JSON.parse(JSON.stringify(kept));
      let more = 0;
      let last = 0;
      const second = await evaluateModel(await subjectOf(script), config, {
        known,
        onAnswer: (_, done, total) => {
          more++;
          last = done;
          expect(total).toBe(answersWanted(letters.questions, config));
        },
      });
      expect(JSON.stringify(second.items)).toBe(JSON.stringify(whole.items));
      expect(kept.length + more).toBe(answersWanted(letters.questions, config));
      expect(last).toBe(answersWanted(letters.questions, config));
      expect({ ...second.evaluation, seconds: 0 }).toEqual({ ...whole.evaluation, seconds: 0 });
      // Bug: the time of the second half given as that of the whole.
      if (known.length > 0) expect(second.evaluation.seconds).toBeUndefined();
    }
  });
});

describe('examples', () => {
  const pool = Array.from({ length: 30 }, (_, i) => ({
    ...numberQuestion(i + 100),
    split: 'train',
    solution: `${i + 100} + 10 = ${i + 110}`,
  }));
  const train = makeDataset({ name: 'sums', split: 'train', source: '', licence: '', questions: pool });
  const examples: Examples = {
    about: { k: 3, data: 'sums:train', data_hash: train.hash, seed: 1 },
    of: (question) => drawExamples(pool, question, 3, 1),
  };

  it('are k different ones, a question its own, the same whatever else is asked (bug: drawn from one running stream)', () => {
    const of = (i: number, seed = 1) => drawExamples(pool, numberQuestion(i), 3, seed).map(({ id }) => id);
    expect(new Set(of(1)).size).toBe(3);
    expect(of(1)).toEqual(of(1));
    expect([2, 3, 4, 5].map((i) => of(i).join())).not.toContain(of(1).join());
    expect(of(1, 2)).not.toEqual(of(1));
  });
  it('stand before the question as turns of a chat or as raw text, and end a raw answer (bug: the next question it makes up is graded)', async () => {
    const seen: string[] = [];
    const say: Script['say'] = (prompt) => {
      seen.push(prompt);
      const i = Number([...prompt.matchAll(/is (\d+) plus/g)].at(-1)?.[1]);
      return `It is.\nAnswer: ${i + 10}\n\nWhat is 5 plus 10?\nAnswer: 15`;
    };
    const raw = await evaluateModel(await subjectOf({ say }, sums, examples), configOf({ prompt: { template: 'raw' } }));
    expect(seen[0]?.match(/Answer: \d+/g)).toHaveLength(3);
    expect(seen[0]).not.toContain('<|');
    expect(raw.evaluation).toMatchObject({ accuracy: 1, template: 'raw', few_shot: { k: 3, data: 'sums:train' } });
    expect(raw.items[0]?.text).toBe('It is.\nAnswer: 10');
    expect(raw.items[0]?.finish).toBe('stop');
    seen.length = 0;
    const chat = await evaluateModel(await subjectOf({ say }, sums, examples), configOf({}));
    expect(seen[0]?.match(/<\|assistant\|>/g)).toHaveLength(4);
    expect(chat.evaluation.accuracy).toBe(0.1);
    expect(chat.evaluation.prompt_hash).not.toBe(raw.evaluation.prompt_hash);
  });
  it('come from a train split that shares nothing with what is measured, and has enough', () => {
    expect(() => checkExamples({ ...train, split: 'test' }, sums, 3)).toThrow('no train split');
    const leak = makeDataset({ ...train, questions: [...pool, { ...numberQuestion(3), id: 'other', question: 'What is 3  PLUS 10?' }] });
    expect(() => checkExamples(leak, sums, 3)).toThrow(/other.*measured too/);
    expect(() => checkExamples(train, sums, 31)).toThrow('ask for fewer');
    expect(() => checkExamples(train, letters, 3)).toThrow('kind');
    expect(() => checkExamples(train, sums, 3)).not.toThrow();
  });
});
