/** `medlogictrace run`: carries out a config file or a preset, in a process of its own. */
import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { DryRun } from '../../shared/dry-run.ts';
import { InputError } from '../../shared/input-error.ts';
import type { Io } from './io.ts';
import { type MachineOptions, placeAsked, withMachineOptions } from './machine-options.ts';
import { repeated } from './options.ts';

interface RunOptions extends MachineOptions {
  runs?: string;
  set: string[];
  dryRun?: boolean;
  probe: boolean;
  detach?: boolean;
}

export function register(program: Command, io: Io): void {
  withMachineOptions(program.command('run'), io)
    .description('carry out a config: train (GRPO), sft or evaluate')
    .argument('<config>', 'a JSON file (comments allowed; "extends": "demo" builds on a preset), or the name of a preset')
    .option('--runs <dir>', 'folder of the runs')
    .option(
      '--set <name=value>',
      'overrides a setting (rewards.0.weight=2, or null for the default); may be given several times',
      repeated,
      [],
    )
    .option('--dry-run', 'check everything, print the resolved config with the source of each value, and what the run will take')
    .option('--no-probe', 'with --dry-run: leave out the estimate, which tries the model for some seconds, a large one for a minute')
    .option('--detach', 'start and return; the run goes on by itself')
    .action(async (file: string, options: RunOptions) => {
      const { resolveConfig } = await import('../runner/load-config.ts');
      const { config, sources, notes } = await resolveConfig(file, options.set);
      for (const note of notes) io.note(note);
      const there = placeAsked(options);
      if (options.dryRun) {
        const { prepareRun } = await import('../runner/prepare-run.ts');
        const { estimateRun } = await import('../runner/estimate.ts');
        const { dryRunText } = await import('./dry-run-text.ts');
        const { model, data, splits } = await prepareRun(config, { elsewhere: there !== null && there.machine !== 'local', tell: io.note });
        if (options.probe) io.note('trying the model for a few seconds …');
        const estimate = options.probe ? await estimateRun(config, model.parameters, { signal: io.signal }) : null;
        const result: DryRun = { config, sources, estimate, model, data, splits };
        io.out(result, () => dryRunText(result));
        return;
      }
      if (!options.probe) throw new InputError('--no-probe belongs to --dry-run: a run itself has no probe; leave it out', '--no-probe');
      const { defaultRunsDir, runName } = await import('../workbench/runs.ts');
      const { carryOut, newRun, startDetached } = await import('./start-run.ts');
      const folder = await newRun(config, resolve(options.runs ?? defaultRunsDir()), undefined, there, io);
      const on = there === null || there.machine === 'local' ? '' : ` on ${there.machine}`;
      if (options.detach) {
        const { waiting } = await startDetached(folder, there);
        const what = waiting === null ? `has started${on}` : `waits${on || ' in the queue'}, place ${waiting}`;
        io.out({ run: runName(folder), folder, waiting }, `${runName(folder)} ${what}; follow it with: medlogictrace runs tail ${folder}`);
        return;
      }
      io.note(`run ${runName(folder)}${on}: ${folder}`);
      await carryOut(folder, `${config.kind} ${config.name ?? ''}`.trim(), io, false, there?.wait);
      io.out({ run: runName(folder), folder }, `${runName(folder)} has finished: ${folder}`);
    });
}
