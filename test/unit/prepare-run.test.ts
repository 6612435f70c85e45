/** What is refused before a run's folder is made. */
import { expect, test } from 'vitest';
import { prepareRun } from '../../main/runner/prepare-run.ts';
import { RunConfig } from '../../shared/config.ts';

test.each([
  ['a module that no layer has', { use_peft: true, lora_target_modules: 'q_proj,query' }, 'lora_target_modules', '"query"'],
  ['activations computed again where the backend keeps them', { gradient_checkpointing: true }, 'gradient_checkpointing', 'tensorflow'],
])('%s is refused, and the setting named', async (_, settings, field, said) => {
  const config = RunConfig.parse({ kind: 'train', data: {}, backend: 'wasm', ...settings });
  await expect(prepareRun(config)).rejects.toMatchObject({ field, message: expect.stringContaining(said) });
});

// Catches: the backend of a machine with GPUs chosen by what is fastest here.
test('auto is left to the machine that will carry a run out', async () => {
  const config = RunConfig.parse({ kind: 'train', data: { train_limit: 4, validation_limit: 2 }, backend: 'auto' });
  expect((await prepareRun(config, { elsewhere: true })).config.backend).toBe('auto');
});
