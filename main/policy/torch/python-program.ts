/** The Python that the engine runs in, and what is asked of it. */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { z } from 'zod';
import { withoutSecrets } from '../../../shared/secret-names.ts';

/** Folder of the Python package, in a checkout and in the assembled runner alike. */
export const ENGINE_FOLDER = fileURLToPath(new URL('../../../resources/torch-engine', import.meta.url));

/** Exit code of the engine where Python or a package is missing or of another version; its last line says which. */
export const UNFIT = 78;

/** `MEDLOGICTRACE_PYTHON`, else `python3` (`python` on Windows). */
export const pythonProgram = (env: NodeJS.ProcessEnv = process.env, platform: NodeJS.Platform = process.platform): string =>
  env.MEDLOGICTRACE_PYTHON || (platform === 'win32' ? 'python' : 'python3');

/** What to do where the program itself is not there. */
export const noPython = (python: string): string =>
  `there is no Python at "${python}"; install Python 3.11 or later with the packages of ${ENGINE_FOLDER}/requirements.txt, or set MEDLOGICTRACE_PYTHON to one that has them`;

/** The engine's environment: no secrets, the package found, nothing written beside it. */
export function engineEnvironment(env: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  const path = env.PYTHONPATH ? `${ENGINE_FOLDER}${delimiter}${env.PYTHONPATH}` : ENGINE_FOLDER;
  return { ...withoutSecrets(env), PYTHONPATH: path, PYTHONDONTWRITEBYTECODE: '1', PYTHONUNBUFFERED: '1' };
}

/** The versions that the engine runs on: those of requirements.txt, since it refuses others. */
export function enginePins(): Record<string, string> {
  const lines = readFileSync(join(ENGINE_FOLDER, 'requirements.txt'), 'utf8').split('\n');
  return Object.fromEntries(lines.flatMap((line) => (/^(torch|transformers|peft)==/.test(line) ? [line.trim().split('==')] : [])));
}

const Probe = z.object({
  torch: z.string(),
  cuda: z.array(z.string()),
  mps: z.boolean(),
  why_no_cuda: z.string().nullable(),
});
export type TorchProbe = z.infer<typeof Probe>;

/** Longest that Python may take to import PyTorch and answer: minutes on a cold network disk. */
const LONGEST_MS = 120_000;

/** What PyTorch can compute on here. Errors: Error saying what is missing and what to install, or that Python does not answer. */
export async function probeTorch(python: string = pythonProgram(), longestMs = LONGEST_MS): Promise<TorchProbe> {
  const limits = { timeout: longestMs, killSignal: 'SIGKILL' } as const;
  try {
    const { stdout } = await promisify(execFile)(python, ['-m', 'medlogictrace_engine.probe'], { env: engineEnvironment(), ...limits });
    return Probe.parse(JSON.parse(stdout));
  } catch (error) {
    const { code, killed, stderr } = error as { code?: unknown; killed?: unknown; stderr?: unknown };
    if (code === 'ENOENT') throw new Error(noPython(python));
    if (killed === true)
      throw new Error(`"${python}" did not answer within ${longestMs / 1000} s; set MEDLOGICTRACE_PYTHON to a Python that does`);
    const said = typeof stderr === 'string' ? stderr.trim().split('\n').at(-1) : undefined;
    throw new Error(said || (error instanceof Error ? error.message : String(error)));
  }
}

/** Whether it is worth asking PyTorch for NVIDIA GPUs, which takes seconds. */
export const mayHaveGpu = (): boolean => process.platform !== 'darwin' && ['/dev/nvidia0', '/dev/dxg'].some((path) => existsSync(path));
