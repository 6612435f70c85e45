/** What is tried in a process of its own: its answer, and why there is none. */
import { expect, test } from 'vitest';
import { z } from 'zod';
import { locateModel } from '../../main/policy/model-location.ts';
import { askProgram } from '../../main/runner/ask-program.ts';
import { choiceText, TrialResult } from '../../main/runner/fastest-backend.ts';

test('a program that fails is told by its own error, not by the frames below it', async () => {
  const asked = askProgram('main/runner/backend-trial', ['abacus', locateModel('tiny')], TrialResult);
  await expect(asked).rejects.toThrow(/^Error: usage: backend-trial wasm\|tensorflow\|webgpu MODEL, not abacus$/);
});

test('an abort ends the wait', async () => {
  const asked = askProgram('main/policy/tfjs/webgpu-check', [], z.unknown(), AbortSignal.timeout(1));
  await expect(asked).rejects.toMatchObject({ name: 'TimeoutError' });
});

test('what auto came to is told with what was measured', () => {
  const speeds = [
    { backend: 'wasm' as const, tokens_per_second: 4000.4 },
    { backend: 'tensorflow' as const, tokens_per_second: 0 },
  ];
  expect(choiceText({ backend: 'wasm', speeds })).toBe(
    "backend auto: wasm, the fastest in a short trial at the model's width (tokens a second: wasm 4000, tensorflow failed)",
  );
  expect(choiceText({ backend: 'wasm', speeds: [] })).toContain('the only one here');
});
