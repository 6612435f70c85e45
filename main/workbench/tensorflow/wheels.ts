/** Wheels from PyPI, fetched by pip one at a time, so that what is finished stays finished, and unpacked by Python. */
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExecResult, Machine } from '../../machine/machine.ts';
import { InstallError } from './install-error.ts';

/** Wheels are asked for in the form that this Python would take; the library inside does not depend on it. */
const WHEEL_PYTHON = '3.12';
/** Milliseconds between two looks at how much has come. */
const LOOK_EVERY = 500;

export interface Fetch {
  machine: Machine;
  python: string;
  /** Finished wheels are here, and stay until the install has succeeded. */
  folder: string;
  signal?: AbortSignal;
  /** `total` null: not known. */
  onProgress: (what: string, bytes: number, total: number | null) => void;
}

/** A requirement as the beginning of its wheel's name: `name==version` with the version, a range by the name alone (PEP 427). */
export const wheelPrefix = (requirement: string): string => {
  const [, name = '', version] = /^([\w.-]+?)(?:==([\w.]+))?(?:[<>=!~,].*)?$/.exec(requirement) ?? [];
  return `${name.toLowerCase().replace(/[-_.]+/g, '_')}-${version === undefined ? '' : `${version}-`}`;
};

/** Path of the finished wheel of a requirement, or null. */
export async function finishedWheel(folder: string, requirement: string): Promise<string | null> {
  const names = await readdir(folder).catch(() => []);
  const found = names.find((name) => name.toLowerCase().startsWith(wheelPrefix(requirement)) && name.endsWith('.whl'));
  return found === undefined ? null : join(folder, found);
}

/** Fetches a requirement's wheel unless it is there. Errors: InstallError with what pip said, and what that means. */
export async function fetchWheel(fetch: Fetch, requirement: string): Promise<string> {
  const { machine, python, folder, signal, onProgress } = fetch;
  const there = await finishedWheel(folder, requirement);
  if (there !== null) return there;
  // pip writes the file under its last name, so an interrupted one would look whole: it gets its place here by a rename.
  const [incoming, temporary] = [join(folder, 'incoming'), join(folder, 'pip')];
  for (const path of [incoming, temporary]) {
    await rm(path, { recursive: true, force: true });
    await mkdir(path, { recursive: true });
  }
  let total: number | null = null;
  const looking = setInterval(() => {
    void largestFile(temporary).then((bytes) => onProgress(requirement, bytes, total));
  }, LOOK_EVERY);
  let result: ExecResult;
  try {
    const asked = ['-m', 'pip', 'download', '--disable-pip-version-check', '--no-input', '--progress-bar', 'off', '--no-deps'];
    const form = ['--only-binary=:all:', '--python-version', WHEEL_PYTHON, '--dest', incoming, requirement];
    result = await machine.exec([python, ...asked, ...form], {
      env: { TMPDIR: temporary, PIP_NO_COLOR: '1' },
      timeoutMs: 0,
      signal,
      onOutput: ({ text }) => {
        total = announcedSize(text) ?? total;
      },
    });
  } finally {
    clearInterval(looking);
    await rm(temporary, { recursive: true, force: true });
  }
  if (result.code !== 0) throw new InstallError(pipFailure(requirement, result));
  const wheel = await finishedWheel(incoming, requirement);
  if (wheel === null) throw new InstallError(`pip ended well and left no wheel of ${requirement} in ${incoming}; try again`);
  const place = join(folder, wheel.slice(incoming.length + 1));
  await rename(wheel, place);
  await rm(incoming, { recursive: true, force: true });
  return place;
}

/** Bytes that pip says it is about to fetch (`Downloading … (273.8 MB)`), or null. */
export function announcedSize(text: string): number | null {
  const found = /Downloading .*\((\d+(?:\.\d+)?) ([kMG]?)B\)/.exec(text);
  return found === null ? null : Number(found[1]) * { '': 1, k: 1e3, M: 1e6, G: 1e9 }[found[2] as '' | 'k' | 'M' | 'G'];
}

/** Sizes in bytes of all files below a folder that others may be writing to. */
async function fileSizes(folder: string): Promise<number[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const sizes = entries.map(async (entry) => {
    if (!entry.isFile()) return 0;
    const found = await stat(join(entry.parentPath, entry.name)).catch(() => null);
    return found?.size ?? 0;
  });
  return Promise.all(sizes);
}

/** Bytes of all files below a folder. */
export const bytesOf = async (folder: string): Promise<number> => (await fileSizes(folder)).reduce((sum, size) => sum + size, 0);

/** pip keeps more than one copy on the way; the largest tells how far it has come. */
const largestFile = async (folder: string): Promise<number> => Math.max(0, ...(await fileSizes(folder)));

function pipFailure(requirement: string, { code, stdout, stderr }: ExecResult): string {
  const said = `${stdout}\n${stderr}`;
  const lines = said.split('\n').filter((line) => /\S/.test(line));
  const reason = lines.findLast((line) => /^ERROR/.test(line)) ?? lines.at(-1) ?? `exit code ${code}`;
  if (/No space left|Errno 28/.test(said))
    return `the disk filled while ${requirement} was fetched: make room and run the same command again`;
  if (/No matching distribution|Could not find a version/.test(said)) {
    return `PyPI, as pip sees it, has no ${requirement} for this machine (${process.platform} ${process.arch}): ${reason}`;
  }
  if (/Temporary failure|Connection|timed out|NewConnectionError|ProxyError|SSLError|Network is unreachable/i.test(said)) {
    return `${requirement} could not be fetched: ${reason}. What was finished is kept; run the same command again once the network is there`;
  }
  return `pip could not fetch ${requirement}: ${reason}`;
}

/** Unpacks members; argv: target, how much (`library` or `all`), wheel. Prints `done total` now and then. */
const UNPACK = `import sys, zipfile, shutil, os
target, what, path = sys.argv[1:4]
heads = ("tensorflow/include/tensorflow/c/", "tensorflow/include/tensorflow/core/platform/", "tensorflow/include/tsl/platform/", "tensorflow/include/xla/tsl/c/")
def wanted(name):
    return what == "all" or name.startswith("tensorflow/libtensorflow") or name.startswith(heads) or ".dist-info/" in name
with zipfile.ZipFile(path) as wheel:
    members = [m for m in wheel.infolist() if wanted(m.filename) and not m.is_dir()]
    total = sum(m.file_size for m in members)
    done = told = 0
    for member in members:
        place = os.path.normpath(os.path.join(target, member.filename))
        if not place.startswith(os.path.normpath(target) + os.sep):
            sys.exit("a member of the wheel lies outside: " + member.filename)
        os.makedirs(os.path.dirname(place), exist_ok=True)
        with wheel.open(member) as source, open(place, "wb") as sink:
            while True:
                piece = source.read(1 << 20)
                if not piece:
                    break
                sink.write(piece)
                done += len(piece)
                if done - told > 1 << 24:
                    told = done
                    print(done, total, flush=True)
`;

/**
 * Unpacks a wheel below `target`: of TensorFlow's, the library and the headers of its C interface (`library`), of others everything.
 * Errors: InstallError; a damaged wheel is removed, so that the next try fetches it again.
 */
export async function unpackWheel(fetch: Fetch, wheel: string, target: string, what: 'library' | 'all'): Promise<void> {
  const name = wheel.slice(fetch.folder.length + 1);
  const result = await fetch.machine.exec([fetch.python, '-c', UNPACK, target, what, wheel], {
    timeoutMs: 0,
    signal: fetch.signal,
    onOutput: ({ stream, text }) => {
      const told = /(\d+) (\d+)\s*$/.exec(text);
      if (stream === 'stdout' && told !== null) fetch.onProgress(`unpacking ${name}`, Number(told[1]), Number(told[2]));
    },
  });
  if (result.code === 0) return;
  const reason = result.stderr.trim().split('\n').at(-1) ?? `exit code ${result.code}`;
  if (/No space left|Errno 28/.test(result.stderr)) {
    throw new InstallError(`the disk filled while ${name} was unpacked: make room and run the same command again`);
  }
  await rm(wheel, { force: true });
  throw new InstallError(`${name} is damaged (${reason}) and was removed: run the same command again`);
}
