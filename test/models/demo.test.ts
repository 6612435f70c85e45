/** The demo from start to end, made small: the same code, fewer steps and questions. */
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { runDemo } from '../../main/commands/demo.ts';
import { createIo } from '../../main/commands/io.ts';
import { DemoResult } from '../../shared/experiment-result.ts';
import { InputError } from '../../shared/input-error.ts';

const folder = mkdtempSync(join(tmpdir(), 'medlogictrace-demo-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const size = { sets: ['max_steps=2', 'per_device_train_batch_size=2', 'eval_steps=0', 'save_steps=0'], limit: 6 };

describe('demo', () => {
  test('evaluates, trains, evaluates again and compares; a second call in the folder finds everything done', async () => {
    const said: string[] = [];
    const sink = { write: (text: string) => said.push(text) };
    const io = createIo(true, new AbortController().signal, { stdout: sink, stderr: sink });
    const result = DemoResult.parse(await runDemo(5, folder, io, size));
    expect(result.arithmetic.before).toMatchObject({ n: 6, split: 'test', max_tokens: 160 });
    expect(result.arithmetic.after.model_hash).not.toBe(result.arithmetic.before.model_hash);
    expect(result.dosage.after.data).toBe('dosage');
    expect(JSON.parse(readFileSync(join(folder, 'result.json'), 'utf8'))).toEqual(result);
    expect(existsSync(result.report)).toBe(true);
    expect(statSync(result.report).size).toBeLessThan(6e6);
    expect(said.join('')).toContain('training with GRPO');

    const weights = statSync(join(result.run, 'model', 'model.safetensors')).mtimeMs;
    const again = await runDemo(5, folder, io, size);
    expect(statSync(join(result.run, 'model', 'model.safetensors')).mtimeMs).toBe(weights);
    expect(again.arithmetic).toEqual(result.arithmetic);
    // Another seed's runs must not be taken for this one's.
    await expect(runDemo(6, folder, io, size)).rejects.toThrow(InputError);
  });
});
