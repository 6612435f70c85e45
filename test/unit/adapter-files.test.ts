/** Adapters in PEFT's form: what one is beside a model, and the merge. */
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { mergeAdapter } from '../../main/policy/adapter-files.ts';
import { readCheckpoint } from '../../main/policy/checkpoint.ts';
import { adapterShapes, writeAdapter } from '../../main/policy/lora.ts';
import type { Tensor } from '../../main/policy/safetensors.ts';
import { inspectAdapters } from '../../main/runner/inspect-adapter.ts';
import { RandomStream } from '../../shared/random.ts';
import { writeSmallModel } from '../fixtures/small-model.ts';

const options = { r: 2, lora_alpha: 6, lora_dropout: 0, target_modules: 'q_proj,down_proj' };
let folder: string;
let base: string;
let adapter: string;
let pairs: Map<string, Tensor>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'adapter-'));
  [base, adapter] = [join(folder, 'base'), join(folder, 'adapter')];
  await writeSmallModel(base);
  const { tensors } = await readCheckpoint(base);
  const random = new RandomStream(3, 'adapter');
  pairs = new Map(
    [...adapterShapes(new Map([...tensors].map(([name, { shape }]) => [name, shape])), options)].map(([name, shape]) => [
      name,
      { shape, data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.next() - 0.5) },
    ]),
  );
  await writeAdapter(adapter, pairs, options, base);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const change = async (to: string, with_: Record<string, unknown>): Promise<string> => {
  await writeAdapter(to, pairs, options, base);
  const path = join(to, 'adapter_config.json');
  await writeFile(path, JSON.stringify({ ...JSON.parse(await readFile(path, 'utf8')), ...with_ }));
  return to;
};

describe('an adapter beside a model', () => {
  test('says its base, rank and modules, and that it fits', async () => {
    const [found] = await inspectAdapters(base, [adapter]);
    expect(found).toMatchObject({ base, named: true, r: 2, lora_alpha: 6, modules: ['q_proj', 'down_proj'], problem: null });
    expect(found?.parameters).toBe([...pairs.values()].reduce((sum, { data }) => sum + data.length, 0));
  });

  // Catches: a merge of what belongs to another model, or of what is computed otherwise.
  test('is told what keeps it from the model, and hides none of the others', async () => {
    const other = await change(join(folder, 'dora'), { use_dora: true });
    const saved = await change(join(folder, 'saved'), { modules_to_save: ['lm_head'] });
    const [torn, dora, full, good] = await inspectAdapters(base, [join(folder, 'none'), other, saved, adapter]);
    expect(torn?.problem).toContain('adapter_config.json');
    expect(dora?.problem).toMatch(/use_dora is true/);
    expect(full?.problem).toMatch(/modules_to_save/);
    expect(good?.problem).toBeNull();
    const [tiny] = await inspectAdapters('tiny', [adapter]);
    expect(tiny).toMatchObject({ named: false });
    expect(tiny?.problem).toMatch(/for another model: model\.layers\.0\.self_attn\.q_proj\.lora_A\.weight has shape/);
  });
});

describe('the merge', () => {
  test('adds alpha / r · B · A to the weights of its modules, and to no others', async () => {
    const target = join(folder, 'merged');
    const told: number[] = [];
    await mergeAdapter(base, adapter, target, { onProgress: (done, total) => told.push(done / total) });
    expect(told.at(-1)).toBe(1);
    const [before, after] = [await readCheckpoint(base), await readCheckpoint(target)];
    const weight = 'model.layers.0.mlp.down_proj.weight';
    const [a, b] = ['A', 'B'].map((side) => pairs.get(`model.layers.0.mlp.down_proj.lora_${side}.weight`) as Tensor) as [Tensor, Tensor];
    const [out, width] = (after.tensors.get(weight) as Tensor).shape as [number, number];
    for (let o = 0; o < out; o++) {
      for (let i = 0; i < width; i++) {
        let sum = before.tensors.get(weight)?.data[o * width + i] as number;
        for (let k = 0; k < 2; k++) sum += 3 * (b.data[o * 2 + k] as number) * (a.data[k * width + i] as number);
        expect(after.tensors.get(weight)?.data[o * width + i]).toBeCloseTo(sum, 5);
      }
    }
    for (const name of ['model.embed_tokens.weight', 'model.layers.0.self_attn.k_proj.weight'])
      expect(after.tensors.get(name)?.data).toEqual(before.tensors.get(name)?.data);
    expect(existsSync(join(target, 'tokenizer.json'))).toBe(true);
    await expect(mergeAdapter(base, adapter, target)).rejects.toThrow('is there already');
  });

  // Catches: half a model left behind by a stop, which then stands in the list as broken.
  test('that is stopped leaves nothing', async () => {
    const before = await readdir(folder);
    const stop = new AbortController();
    const merging = mergeAdapter(base, adapter, join(folder, 'stopped'), {
      signal: stop.signal,
      onProgress: () => stop.abort(new Error('stopped')),
    });
    await expect(merging).rejects.toThrow('stopped');
    expect(await readdir(folder)).toEqual(before);
  });
});
