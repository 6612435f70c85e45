/**
 * Runs the long comparisons of test/verify: node scripts/verify.js [WORD …] runs those whose file name has one of the words. Prepares
 * Python with Transformers, lm-evaluation-harness and TensorFlow; what cannot be had is a failure.
 */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { cacheFolder } from './cache-folder.ts';
import { endChildren, runProcess } from './child-process.ts';
import { ensureLmEval } from './lm-eval-environment.ts';
import { ensurePython } from './python-environment.ts';
import { ensureTensorflow } from './tensorflow-backend.ts';

const root = dirname(import.meta.dirname);
/** Seconds for all of it. */
const LIMIT = 3 * 3600;
const say = (line: string) => process.stdout.write(`${line}\n`);

async function main(words: readonly string[]): Promise<number> {
  const python = await ensurePython(join(root, 'test', 'fixtures', 'requirements.txt'), cacheFolder(), say);
  if (python.path === undefined) {
    say(`FAILED: ${python.name}: ${python.missing}`);
    return 1;
  }
  const harness = await ensureLmEval(python.path, cacheFolder(), say);
  if (harness.path === undefined) {
    say(`FAILED: ${harness.name}: ${harness.missing}`);
    return 1;
  }
  const tensorflow = await ensureTensorflow(cacheFolder(), say);
  if (tensorflow.path === undefined) {
    say(`FAILED: ${tensorflow.name}: ${tensorflow.missing}`);
    return 1;
  }
  const data = process.env.MEDLOGICTRACE_DATA || join(root, '..', 'shared', 'data');
  if (!existsSync(data)) {
    say(`FAILED: ${data} is not there; set MEDLOGICTRACE_DATA to the folder of the original data files`);
    return 1;
  }
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
  const result = await runProcess(process.execPath, [vitest, 'run', '--project', 'verify', ...words], {
    cwd: root,
    env: {
      MEDLOGICTRACE_PYTHON: python.path,
      MEDLOGICTRACE_LM_EVAL: harness.path,
      MEDLOGICTRACE_TENSORFLOW_HOME: tensorflow.path,
      MEDLOGICTRACE_DATA: data,
    },
    limit: LIMIT,
  });
  return result.code === 0 ? 0 : 1;
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    endChildren('SIGKILL');
    process.exit(1);
  });
}
process.exit(await main(process.argv.slice(2)));
