/** What is refused before a run's folder is made. */
import { expect, test } from 'vitest';
import { prepareRun } from '../../main/runner/prepare-run.ts';
import { RunConfig } from '../../shared/config.ts';

test('an adapter on a backend that would train all weights instead is refused, and the setting named', async () => {
  const config = RunConfig.parse({ kind: 'train', model: 'tiny', data: {}, backend: 'wasm', torch: { use_peft: true } });
  await expect(prepareRun(config)).rejects.toMatchObject({ field: 'torch.use_peft', message: expect.stringContaining('tensorflow') });
});
