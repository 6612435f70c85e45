/**
 * Completes package-lock.json: `node scripts/lock-file.js` after a change of the dependencies. A registry that mirrors only some platforms
 * makes npm leave the other platforms' optional builds out of the lock file, and `npm ci` then refuses it everywhere. Their names and
 * exact versions stand in the packages that ask for them; what they run on stands in their names.
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const SYSTEMS = ['android', 'darwin', 'freebsd', 'linux', 'openbsd', 'win32'];
const PROCESSORS = ['arm64', 'arm', 'x64', 'ia32', 'ppc64', 's390x', 'riscv64', 'loong64'];

/**
 * Optional dependencies without an entry of their own.
 * @param {import('./lock-file.js').Lock} lock
 */
export function missingOptional(lock) {
  return Object.entries(lock.packages).flatMap(([path, entry]) =>
    Object.entries(entry.optionalDependencies ?? {})
      .filter(([name]) => !(`node_modules/${name}` in lock.packages) && !(`${path}/node_modules/${name}` in lock.packages))
      .map(([name, version]) => ({ name, version, dev: entry.dev === true })),
  );
}

/**
 * The lock file's entry of a platform's build, its platform read from its name.
 * @param {{name: string, version: string, dev: boolean}} missing
 */
export function platformEntry({ name, version, dev }) {
  const words = name.split(/[-/]/);
  const os = SYSTEMS.find((system) => words.includes(system));
  const cpu = PROCESSORS.find((processor) => words.includes(processor));
  if (os === undefined || cpu === undefined || !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version)) {
    throw new Error(`${name} ${version}: not a build for one platform in an exact version; run npm where the registry has it`);
  }
  const libc = os !== 'linux' ? null : words.includes('musl') ? 'musl' : 'glibc';
  return { version, cpu: [cpu], ...(dev ? { dev } : {}), ...(libc === null ? {} : { libc: [libc] }), optional: true, os: [os] };
}

/**
 * The lock file with an entry for each missing build, in npm's order.
 * @param {import('./lock-file.js').Lock} lock
 */
export function completeLock(lock) {
  const added = missingOptional(lock).map((missing) => [`node_modules/${missing.name}`, platformEntry(missing)]);
  const packages = Object.entries(lock.packages).concat(added);
  packages.sort(([a], [b]) => a.localeCompare(b, 'en'));
  return { ...lock, packages: Object.fromEntries(packages) };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const path = join(dirname(dirname(process.argv[1])), 'package-lock.json');
  const lock = JSON.parse(readFileSync(path, 'utf8'));
  const missing = missingOptional(lock);
  writeFileSync(`${path}.tmp`, `${JSON.stringify(completeLock(lock), null, 2)}\n`);
  renameSync(`${path}.tmp`, path);
  process.stdout.write(`${missing.length} entries added\n`);
}
