/** What is refused before a run's folder is made. */
import { expect, test } from 'vitest';
import { prepareRun } from '../../main/runner/prepare-run.ts';
import { RunConfig } from '../../shared/config.ts';

test('a module that no layer has is refused before anything is made', async () => {
  const config = RunConfig.parse({
    kind: 'train',
    data: {},
    backend: 'wasm',
    torch: { use_peft: true, lora_target_modules: 'q_proj,query' },
  });
  await expect(prepareRun(config)).rejects.toMatchObject({ field: 'lora_target_modules', message: expect.stringContaining('"query"') });
});
