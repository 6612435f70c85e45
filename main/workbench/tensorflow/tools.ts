/** The programs that an install needs: a Python that brings pip (to fetch wheels and unpack them), and a C++ compiler. */
import type { ExecResult, Machine } from '../../machine/machine.ts';
import { InstallError } from './install-error.ts';

/** The oldest Python whose pip takes what `wheels.ts` asks of it. */
const OLDEST_PYTHON = [3, 8] as const;

const PYTHON_PROBE = `import sys
print("python %d.%d" % sys.version_info[:2])
import pip
print("pip " + pip.__version__)
`;

const FETCH: Partial<Record<NodeJS.Platform, { python: string; pip: string; compiler: string }>> = {
  linux: {
    python: 'install Python 3 (apt install python3 python3-pip, or dnf install python3-pip)',
    pip: 'install it (apt install python3-pip, or python3 -m ensurepip)',
    compiler: 'install one (apt install g++, or dnf install gcc-c++)',
  },
  darwin: {
    python: 'install Python 3 (xcode-select --install, or from python.org)',
    pip: 'install it (python3 -m ensurepip)',
    compiler: 'install the command line tools (xcode-select --install)',
  },
};
const howTo = (what: 'python' | 'pip' | 'compiler'): string => (FETCH[process.platform] ?? FETCH.linux)?.[what] ?? '';

/** The result, or null where there is no such program. */
async function tried(machine: Machine, command: readonly string[], signal: AbortSignal | undefined): Promise<ExecResult | null> {
  try {
    const result = await machine.exec(command, { signal, timeoutMs: 60_000 });
    return result.code === 127 ? null : result;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' || (error as NodeJS.ErrnoException).code === 'EACCES') return null;
    throw error;
  }
}

/** The first Python on the path that will do. Errors: InstallError for none, one too old, or one without pip. */
export async function findPython(machine: Machine, signal?: AbortSignal): Promise<string> {
  const found: string[] = [];
  for (const name of ['python3', 'python']) {
    const result = await tried(machine, [name, '-c', PYTHON_PROBE], signal);
    const version = /^python (\d+)\.(\d+)$/m.exec(result?.stdout ?? '');
    if (result === null || version === null) continue;
    const [major, minor] = [Number(version[1]), Number(version[2])];
    if (major < OLDEST_PYTHON[0] || (major === OLDEST_PYTHON[0] && minor < OLDEST_PYTHON[1])) {
      found.push(`${name} is version ${major}.${minor}; ${OLDEST_PYTHON.join('.')} or later is needed`);
    } else if (!/^pip /m.test(result.stdout)) found.push(`${name} has no pip: ${howTo('pip')}`);
    else return name;
  }
  throw new InstallError(
    found.length > 0
      ? `TensorFlow comes through Python's pip, and ${found.join('; ')}`
      : `TensorFlow comes through Python's pip, and there is no Python on the path: ${howTo('python')}`,
  );
}

/** `CXX`, else the first C++ compiler on the path. Errors: InstallError where none starts. */
export async function findCompiler(machine: Machine, signal?: AbortSignal): Promise<string> {
  const asked = process.env.CXX;
  for (const name of asked ? [asked] : ['c++', 'g++', 'clang++']) {
    const result = await tried(machine, [name, '--version'], signal);
    if (result?.code === 0) return name;
  }
  throw new InstallError(
    asked
      ? `the environment variable CXX names ${asked}, which does not start; set it to a C++17 compiler or leave it out`
      : `the addon is compiled here, and there is no C++ compiler on the path: ${howTo('compiler')}`,
  );
}
