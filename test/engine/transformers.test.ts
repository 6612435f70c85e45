/** A folder that Transformers wrote is read by us, and one that we wrote by Transformers: same tokens, same numbers. */
import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type ChatMessage, renderPrompt } from '../../main/policy/chat-template.ts';
import { copyTokenizerFiles } from '../../main/policy/checkpoint.ts';
import { readModelConfig } from '../../main/policy/model-config.ts';
import type { Policy } from '../../main/policy/policy.ts';
import { createTfjsPolicy } from '../../main/policy/tfjs/policy.ts';
import { checkTokenizerFits, loadTokenizer } from '../../main/policy/tokenizer.ts';
import { RandomStream } from '../../shared/random.ts';
import { apart, TOLERANCE } from '../fixtures/parity.ts';
import { python, withoutPython } from '../fixtures/python.ts';

const tokenizerFixture = join(import.meta.dirname, '../fixtures/tokenizer');

const Answer = z.object({
  model: z.string(),
  parameters: z.number(),
  wrong_keys: z.array(z.string()),
  logprobs: z.array(z.array(z.number())),
  texts: z.array(z.array(z.number())),
  chats: z.array(z.array(z.number())),
  eos: z.number(),
});

interface Request {
  rows: number[][];
  texts: string[];
  chats: ChatMessage[][];
}

async function transformers(
  request: Request & ({ read: string } | { write: string; tokenizer: string; family: string }),
): Promise<z.infer<typeof Answer>> {
  const child = spawn(python ?? '', [join(import.meta.dirname, 'transformers_side.py')], { stdio: ['pipe', 'pipe', 'pipe'] });
  child.stdin.end(JSON.stringify(request));
  const [answer, log, code] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    new Promise((resolve, reject) => child.on('close', resolve).on('error', reject)),
  ]);
  if (code !== 0) throw new Error(`transformers_side.py ended with ${code}:\n${log}`);
  return Answer.parse(JSON.parse(answer));
}

if (python === null) console.log(`skipped: exchange with Transformers: ${withoutPython}`);

const FAMILIES = { qwen2: 'Qwen2ForCausalLM', qwen3: 'Qwen3ForCausalLM', llama: 'LlamaForCausalLM' };

describe.skipIf(python === null).each(Object.entries(FAMILIES))('exchange with Transformers: %s', (family, architecture) => {
  let scratch = '';
  let theirs = '';
  let request: Request;
  let written: z.infer<typeof Answer>;
  let policy: Policy;

  const logprobsOf = async (of: Policy): Promise<Float32Array[]> => {
    const sequences = request.rows.map((row) => ({ prompt: Int32Array.from(row.slice(0, 1)), completion: Int32Array.from(row.slice(1)) }));
    return (await of.logprobs({ sequences, model: 'policy' })).map(({ logprobs }) => logprobs);
  };

  beforeAll(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'transformers-'));
    theirs = join(scratch, 'theirs');
    const random = new RandomStream(1, 'rows');
    const cases: { texts: { text: string }[]; chats: { messages: ChatMessage[] }[] } = JSON.parse(
      await readFile(join(tokenizerFixture, 'qwen2.json'), 'utf8'),
    );
    request = {
      rows: [40, 90, 17].map((length) => Array.from({ length }, () => random.integer(0, 1199))),
      texts: cases.texts.map((entry) => entry.text),
      chats: cases.chats.map((entry) => entry.messages).slice(0, 20),
    };
    written = await transformers({ ...request, write: theirs, tokenizer: join(tokenizerFixture, 'qwen2'), family });
    policy = await createTfjsPolicy({ folder: theirs });
  });
  afterAll(async () => {
    await policy?.dispose();
    await rm(scratch, { recursive: true });
  });

  // Catches: shards, bfloat16, an untied output layer, a head width of its own, or Transformers 5's rotary base and scaling read wrongly.
  it('reads the weights that Transformers wrote', async () => {
    expect((await readdir(theirs)).filter((name) => /^model-\d+-of-\d+\.safetensors$/.test(name)).length).toBeGreaterThan(1);
    expect(policy.describe().parameters).toBe(written.parameters);
    const ours = await logprobsOf(policy);
    for (const [i, expected] of written.logprobs.entries()) expect(apart(ours[i] ?? [], expected)).toBeLessThan(TOLERANCE);
  });

  // Catches: a tokenizer or chat template that is another after Transformers has saved it.
  it('reads the tokenizer that Transformers wrote', async () => {
    const tokenizer = await loadTokenizer(theirs);
    checkTokenizerFits(tokenizer, await readModelConfig(theirs));
    expect(tokenizer.eosId).toBe(written.eos);
    expect(request.texts.map((each) => tokenizer.encode(each))).toEqual(written.texts);
    expect(request.chats.map((chat) => renderPrompt(tokenizer, chat))).toEqual(written.chats);
  });

  // Catches: a config, tensor name or layout that Transformers takes for something else, or fills with fresh random weights.
  it('writes what Transformers reads, after a training step', async () => {
    const trained = await createTfjsPolicy({ folder: theirs });
    const ours = join(scratch, 'ours');
    const completion = Int32Array.from(request.rows[0]?.slice(5) ?? []);
    const ones = new Float32Array(completion.length).fill(1);
    const sequence = { prompt: Int32Array.from(request.rows[0]?.slice(0, 5) ?? []), completion, mask: ones, weights: ones };
    const adamW = { adam_beta1: 0.9, adam_beta2: 0.999, adam_epsilon: 1e-8, weight_decay: 0, max_grad_norm: 1 };
    try {
      await trained.update({ sequences: [sequence] }, { kind: 'supervised' }, { learning_rate: 1e-2, ...adamW });
      await trained.save(ours, 'weights');
      await copyTokenizerFiles(theirs, ours);
      const read = await transformers({ ...request, read: ours });
      expect(read.model).toBe(architecture);
      expect(read.wrong_keys).toEqual([]);
      expect(read.parameters).toBe(written.parameters);
      const logprobs = await logprobsOf(trained);
      for (const [i, expected] of read.logprobs.entries()) {
        expect(apart(logprobs[i] ?? [], expected)).toBeLessThan(TOLERANCE);
        // The step has moved the model, so the agreement is not that of the folder it came from.
        expect(apart(expected, written.logprobs[i] ?? [])).toBeGreaterThan(1000 * TOLERANCE);
      }
      expect(read.texts).toEqual(written.texts);
      expect(read.chats).toEqual(written.chats);
    } finally {
      await trained.dispose();
    }
  });
});
