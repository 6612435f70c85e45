/** `machines check`: what a machine has, what it lacks, and what a setup would do. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { InputError } from '../../../shared/input-error.ts';
import type { Finding, MachineCheck, MachineFacts, PlannedStep } from '../../../shared/machine-check.ts';
import type { SetupOptions } from '../../../shared/machine-setup.ts';
import { homeFolder } from '../../data/location.ts';
import { type MachineLayout, machineLayout } from '../../machine/layout.ts';
import type { Machine } from '../../machine/machine.ts';
import { absolutePath } from '../../machine/remote-path.ts';
import { type RunnerBundle, runnerBundle } from '../../machine/runner-bundle.ts';
import { PROBE_SCRIPT, type Probed, parseProbe } from './probe-script.ts';
import { choosePython, OLDEST_PYTHON, plannedSteps, type SetupStep, setupSteps } from './setup-plan.ts';

const GB = 1e9;
/** Seconds that a clock may be off before it is worth a word. */
const CLOCK_S = 5;

/** The layout of a machine whose folder is given as in the list. */
export async function layoutOn(machine: Machine, root: string): Promise<MachineLayout> {
  return machineLayout(absolutePath(root, root.startsWith('~') ? await machine.home() : '/').replace(/\/$/, ''));
}

export interface Looked {
  layout: MachineLayout;
  facts: MachineFacts;
  probed: Probed;
  steps: SetupStep[];
  plan: PlannedStep[];
  findings: Finding[];
  bundle: RunnerBundle;
}

/** The lines of a requirements file that name a package. */
const requirementLines = (text: string): string[] =>
  text
    .split('\n')
    .map((line) => line.replace(/#.*/, '').trim())
    .filter((line) => line !== '');

const PackageVersion = z.object({ version: z.string() });

/** The clock is asked by itself: a round trip that is short tells it well. */
async function clockOf(machine: Machine): Promise<{ clock_offset: number; clock_uncertainty: number }> {
  let best: { clock_offset: number; clock_uncertainty: number } | null = null;
  for (let attempt = 0; attempt < 3; attempt++) {
    const before = Date.now() / 1000;
    const { stdout } = await machine.exec(['date', '+%s.%N']);
    const after = Date.now() / 1000;
    // Without %N (macOS) whole seconds are told.
    const text = stdout.trim().replace(/\.N?$/, '');
    const there = Number(text) + (text.includes('.') ? 0 : 0.5);
    if (!Number.isFinite(there)) continue;
    const uncertainty = (after - before) / 2 + (text.includes('.') ? 0 : 0.5);
    if (best === null || uncertainty < best.clock_uncertainty)
      best = { clock_offset: there - (before + after) / 2, clock_uncertainty: uncertainty };
  }
  if (best === null) throw new Error(`${machine.name} does not tell its time`);
  return best;
}

/** What stands in the way of a setup, or of runs. */
export function findingsOf(facts: MachineFacts, options: SetupOptions, plan: readonly PlannedStep[]): Finding[] {
  const findings: Finding[] = [];
  const add = (level: Finding['level'], what: string, fix: string): void => void findings.push({ level, what, fix });
  const torchMissing = plan.some(({ name, state }) => name === 'torch' && state !== 'done');
  if (facts.system !== 'Linux' && facts.system !== 'Darwin')
    add('blocking', `it runs ${facts.system}`, 'use a machine with Linux or macOS');
  if (facts.disk === null) add('warning', 'the room on its disk cannot be told', 'look with df there');
  else {
    if (!facts.disk.writable)
      add('blocking', `${facts.disk.path} cannot be written`, 'give another folder: machines add … --root DIR --replace');
    const needed = options.python !== null ? 0.5 * GB : torchMissing ? (facts.gpus.length > 0 ? 15 * GB : 4 * GB) : 1 * GB;
    if (facts.disk.free < needed)
      add(
        torchMissing ? 'blocking' : 'warning',
        `${(facts.disk.free / GB).toFixed(1)} GB are free at ${facts.disk.path}; ${(needed / GB).toFixed(1)} GB are needed`,
        'free some room there, or give a folder on another disk (--root)',
      );
  }
  if (options.python === null && torchMissing) {
    const python = choosePython(facts.pythons);
    if (python === null)
      add(
        'blocking',
        facts.pythons.length === 0 ? 'there is no Python' : `its Python is ${facts.pythons.map(({ version }) => version).join(', ')}`,
        `install Python ${OLDEST_PYTHON.join('.')} or later there`,
      );
    else if (!python.venv && facts.user !== 'root')
      add('blocking', `${python.path} makes no environments`, 'install python3-venv there (apt-get install python3-venv)');
  }
  if (facts.gpus.length === 0)
    add('warning', 'no NVIDIA GPU is seen', 'it computes on its CPUs; with a GPU, see that nvidia-smi works there');
  const driver = Number(facts.driver?.split('.')[0] ?? Number.NaN);
  if (facts.gpus.length > 0 && torchMissing && options.torch_index === null && !(driver >= 525))
    add(
      'blocking',
      `the NVIDIA driver is ${facts.driver ?? 'unknown'}`,
      'update it to 525 or later, or name a PyTorch that it serves (--torch-index URL)',
    );
  if (Math.abs(facts.clock_offset) - facts.clock_uncertainty > CLOCK_S)
    add(
      'warning',
      `its clock is ${Math.abs(facts.clock_offset).toFixed(0)} s ${facts.clock_offset > 0 ? 'ahead of' : 'behind'} this computer's`,
      'times of runs there are by its clock; nothing depends on them, but set it right (NTP)',
    );
  if (facts.memory !== null && facts.memory < 4 * GB)
    add('warning', `it has ${(facts.memory / GB).toFixed(1)} GB of memory`, 'small models only');
  return findings;
}

/** Looks at a machine; the runner of this version is made meanwhile. Errors: MachineError; an InputError for options that do not fit. */
export async function lookAt(machine: Machine, root: string, options: SetupOptions, signal?: AbortSignal): Promise<Looked> {
  if (options.python === null && options.node !== null)
    throw new InputError('a Node of the machine is taken only together with a Python of it: add --python PATH', 'node');
  const making = runnerBundle(join(homeFolder(), 'machines', 'runner'));
  making.catch(() => undefined);
  const layout = await layoutOn(machine, root);
  const { stdout } = await machine.exec(['/bin/sh', '-c', PROBE_SCRIPT, 'sh', layout.root], { signal, maxOutput: 1_000_000 });
  const probed = parseProbe(stdout);
  const facts: MachineFacts = { ...probed.facts, ...(await clockOf(machine)) };
  const bundle = await making;
  const requirements = requirementLines(await readFile(join(bundle.folder, 'resources', 'torch-engine', 'requirements.txt'), 'utf8'));
  const { version } = PackageVersion.parse(
    JSON.parse(await readFile(join(bundle.folder, 'node_modules', '@duckdb', 'node-bindings', 'package.json'), 'utf8')),
  );
  const native = { platform: `${process.platform}-${process.arch}`, duckdb: version };
  const steps = setupSteps({ layout, facts, options, requirements, runner: bundle.hash, native });
  const plan = plannedSteps(steps, probed);
  return { layout, facts, probed, steps, plan, bundle, findings: findingsOf(facts, options, plan) };
}

/** `machines check NAME` */
export async function checkMachine(machine: Machine, root: string, options: SetupOptions, signal?: AbortSignal): Promise<MachineCheck> {
  const { layout, facts, findings, plan } = await lookAt(machine, root, options, signal);
  const ready = plan.every(({ state }) => state === 'done') && !findings.some(({ level }) => level === 'blocking');
  return { machine: machine.name, root: layout.root, facts, findings, plan, ready };
}
