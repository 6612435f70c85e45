/** Machines in words, for the terminal. */
import type { MachineCheck } from '../../shared/machine-check.ts';
import type { MachineListing } from '../../shared/machine-list.ts';
import type { MachineCleaned, SetupReport } from '../../shared/machine-setup.ts';
import { textTable } from './text-table.ts';

const gigabytes = (bytes: number | null): string => (bytes === null ? 'unknown' : `${(bytes / 1e9).toFixed(1)} GB`);

export const machineListText = (list: readonly MachineListing[]): string =>
  textTable(
    ['machine', 'address', 'folder', 'host key'],
    list.map(({ name, address, root, host_key, kind }) => [
      name,
      address,
      root ?? '–',
      kind === 'local' ? '–' : (host_key ?? 'not accepted yet'),
    ]),
  );

const STATES = { done: 'done', todo: 'to do', stale: 'anew' } as const;

export function machineCheckText({ machine, root, facts, findings, plan, ready }: MachineCheck): string {
  const { gpus, disk, pythons } = facts;
  const byName = new Map<string, number>();
  for (const { name, memory } of gpus)
    byName.set(`${name} (${gigabytes(memory)})`, (byName.get(`${name} (${gigabytes(memory)})`) ?? 0) + 1);
  const clock = `${facts.clock_offset >= 0 ? '+' : '-'}${Math.abs(facts.clock_offset).toFixed(1)} s (± ${facts.clock_uncertainty.toFixed(1)} s)`;
  const rows: [string, string][] = [
    ['system', `${facts.distribution ?? facts.system}, kernel ${facts.kernel}, ${facts.arch}`],
    ['CPUs', facts.cpus === null ? 'unknown' : String(facts.cpus)],
    ['memory', `${gigabytes(facts.memory)}${facts.memory_available === null ? '' : `, ${gigabytes(facts.memory_available)} free`}`],
    ['disk', disk === null ? 'unknown' : `${gigabytes(disk.free)} of ${gigabytes(disk.total)} free at ${disk.path}`],
    ['GPUs', gpus.length === 0 ? 'none seen' : [...byName].map(([name, count]) => `${count} × ${name}`).join(', ')],
    ['driver', facts.driver === null ? '–' : `${facts.driver}${facts.cuda === null ? '' : `, CUDA up to ${facts.cuda}`}`],
    ['Python', pythons.map(({ path, version }) => `${version} (${path})`).join(', ') || 'none'],
    ['clock', clock],
  ];
  return [
    `${machine}: ${root}`,
    ...rows.map(([name, value]) => `  ${name.padEnd(8)}${value}`),
    ...(findings.length === 0
      ? []
      : ['', ...findings.map(({ level, what, fix }) => `${level === 'blocking' ? '✗' : '!'} ${what}: ${fix}`)]),
    '',
    ...plan.map(({ title, what, state }) => `  ${STATES[state].padEnd(6)} ${title}: ${what}`),
    '',
    ready
      ? 'Ready: runs can be started there.'
      : findings.some(({ level }) => level === 'blocking')
        ? 'Not ready; what is marked ✗ comes first.'
        : `Not ready; the next command does what is not done: medlogictrace machines setup ${machine}`,
  ].join('\n');
}

export function setupText({ machine, root, done, sent, proof }: SetupReport): string {
  const what = done.length === 0 ? 'nothing had to be done' : `done: ${done.join(', ')}; ${(sent / 1e6).toFixed(1)} MB sent`;
  return [
    `${machine} is ready (${what}).`,
    `  folder  ${root}`,
    `  Python  ${proof.python}, PyTorch ${proof.torch}, Transformers ${proof.transformers}, PEFT ${proof.peft}, ${proof.cuda_devices} CUDA devices`,
    `  Node    ${proof.node}`,
    `  runner  ${proof.runner.slice(0, 12)}`,
  ].join('\n');
}

export function cleanedText({ machine, root, there, bytes, runs, live, removed }: MachineCleaned): string {
  if (!there) return `${machine}: there is no ${root}; nothing to remove`;
  const lost = runs.length === 0 ? 'no runs' : `${runs.length} runs: ${runs.join(', ')}`;
  if (removed) return `${machine}: ${root} removed (${gigabytes(bytes)}, ${lost})`;
  return [
    `${machine}: ${root} holds ${gigabytes(bytes)} and ${lost}`,
    ...(live.length === 0 ? [] : [`still going on: ${live.join(', ')}`]),
    `Nothing was removed. With --yes all of it is, for good: medlogictrace machines clean ${machine} --yes`,
  ].join('\n');
}
