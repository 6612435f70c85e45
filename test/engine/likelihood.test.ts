/** Log-likelihoods of options against Transformers, encoded and summed there as lm-evaluation-harness does. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { makeDataset } from '../../main/data/dataset.ts';
import { evaluateModel } from '../../main/runner/evaluate.ts';
import { likelihoodChoices, rawContext, scoredOptions } from '../../main/runner/likelihood-prompt.ts';
import { openModel } from '../../main/runner/open-model.ts';
import { EvaluateConfig, Prompting } from '../../shared/config.ts';
import type { Question } from '../../shared/question.ts';
import { python, withoutPython } from '../fixtures/python.ts';

const model = join(import.meta.dirname, '../../resources/tiny/model');
const Answers = z.array(z.object({ ids: z.array(z.number()), logprob: z.number(), greedy: z.boolean() }));

const letter = (dataset: string, question: string, options: string[], gold: string): Question => ({
  id: `${dataset}-${gold}`,
  dataset,
  split: 'test',
  kind: 'letter',
  question,
  options,
  gold,
});
const questions: Question[] = [
  letter('medmcqa', 'Which vitamin is supplied from only animal source:', ['Vitamin C', 'Vitamin B7', 'Vitamin B12', 'Vitamin D'], 'C'),
  letter('medmcqa', 'Dose of β-blocker (≈ 5 mg)  for a child? ', ['', '½ tablet', 'a\nb', 'None'], 'B'),
  letter('medqa', 'A 23-year-old woman has a fever.', ['Rest', 'Water', 'Ibuprofen', 'None of these', 'All of these'], 'E'),
  {
    id: 'w',
    dataset: 'pubmedqa',
    split: 'test',
    kind: 'word',
    question: 'Does it work?',
    contexts: ['Background: unclear.', 'Results: p = 0.04 in 200 people.'],
    words: ['yes', 'no', 'maybe'],
    gold: 'maybe',
  },
];

async function harness(pairs: [string, string][]): Promise<z.infer<typeof Answers>> {
  const child = spawn(python ?? '', [join(import.meta.dirname, 'likelihood_side.py')], { stdio: ['pipe', 'pipe', 'pipe'] });
  child.stdin.end(JSON.stringify({ model, pairs }));
  const [answer, log, code] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    new Promise((resolve, reject) => child.on('close', resolve).on('error', reject)),
  ]);
  if (code !== 0) throw new Error(`likelihood_side.py ended with ${code}:\n${log}`);
  return Answers.parse(JSON.parse(answer));
}

if (python === null) console.log(`skipped: likelihoods against Transformers: ${withoutPython}`);

describe.skipIf(python === null)('likelihoods against Transformers', () => {
  it('same ids, same sums, same answers (bug: a continuation cut or encoded elsewhere, a token left out of the sum)', async () => {
    const prompting = Prompting.parse({ template: 'raw' });
    const theirs = await harness(
      questions.flatMap((q) => likelihoodChoices(q).map((choice): [string, string] => [rawContext(q, prompting, []), ` ${choice}`])),
    );
    const opened = await openModel(model, { backend: 'wasm' });
    try {
      const ids = questions.flatMap((q) => scoredOptions(q, opened.tokenizer, prompting, []).map(({ completion }) => [...completion]));
      expect(ids).toEqual(theirs.map((answer) => answer.ids));
      const data = makeDataset({ name: 'set', split: 'test', source: '', licence: '', questions });
      const { items } = await evaluateModel(
        { model: opened, name: 'tiny', hash: 'h', data, examples: null, lineage: null, marks: [] },
        EvaluateConfig.parse({ kind: 'evaluate', data: { test: 'set' }, mode: 'likelihood' }),
      );
      const ours = items.flatMap(({ logprobs }) => logprobs ?? []);
      expect(ours).toHaveLength(theirs.length);
      for (const [i, { logprob }] of theirs.entries()) expect(Math.abs((ours[i] as number) - logprob)).toBeLessThan(1e-3);
      let at = 0;
      for (const [i, question] of questions.entries()) {
        const choices = likelihoodChoices(question);
        const own = theirs.slice(at, at + choices.length).map(({ logprob }) => logprob);
        at += choices.length;
        expect(items[i]?.answer).toBe(choices[own.indexOf(Math.max(...own))]);
      }
    } finally {
      await opened.policy.dispose();
    }
  });
});
