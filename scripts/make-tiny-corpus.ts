/**
 * Writes the supervised corpus of the embedded model, as text: node scripts/make-tiny-corpus.ts OUT_DIR [SEED]
 *
 *   corpus.jsonl       {prompt, completion} rows of the `supervised` split: worked solutions (six in ten) and bare calculations
 *   validation.jsonl   {prompt, completion, gold} questions of the `train` split, whose products the corpus does not have
 *
 * `prompt` is the user's message as the runner renders it; a row whose prompt is empty is a bare calculation (`context` goes
 * before the completion without loss). The splits `validation` and `test` are never written.
 */
import { createWriteStream, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { arithmeticDrills, arithmeticQuestions } from '../main/data/arithmetic.ts';
import { dosageQuestions } from '../main/data/dosage.ts';
import { userMessage } from '../main/runner/prompts.ts';
import { Prompting } from '../shared/config.ts';
import type { Question } from '../shared/question.ts';
import { RandomStream } from '../shared/random.ts';

const [out, seedText] = process.argv.slice(2);
if (!out) {
  console.error('usage: node scripts/make-tiny-corpus.ts OUT_DIR [SEED]');
  process.exit(2);
}
const seed = Number(seedText ?? 1);
const prompting = Prompting.parse({});
const row = (q: Question) => ({ prompt: userMessage(q, prompting), completion: q.solution ?? '', gold: q.gold });

mkdirSync(out, { recursive: true });
const solved = [...arithmeticQuestions('supervised', 60000), ...dosageQuestions('supervised', 25000)].map(row);
const drills = arithmeticDrills(60000).map((d) => ({ prompt: '', context: d.prompt, completion: d.result }));
const order = new RandomStream(seed, 'tiny/corpus');
const corpus = createWriteStream(join(out, 'corpus.jsonl'));
for (const line of order.shuffle([...solved, ...drills])) corpus.write(`${JSON.stringify(line)}\n`);
corpus.end();
const validation = createWriteStream(join(out, 'validation.jsonl'));
for (const q of [...arithmeticQuestions('train', 200), ...dosageQuestions('train', 100)]) {
  validation.write(`${JSON.stringify({ ...row(q), dataset: q.dataset })}\n`);
}
validation.end();
