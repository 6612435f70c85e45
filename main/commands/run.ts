/** `medlogictrace run`: carries out a config file or a preset, in a process of its own. */
import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { Io } from './io.ts';
import { repeated } from './options.ts';
import { RunFailed } from './outcome.ts';

interface RunOptions {
  runs?: string;
  set: string[];
  dryRun?: boolean;
  detach?: boolean;
}

export function register(program: Command, io: Io): void {
  program
    .command('run')
    .description('carry out a config: train (GRPO), sft or evaluate')
    .argument('<config>', 'a JSON file, or the name of a preset (medlogictrace, demo, …)')
    .option('--runs <dir>', 'folder of the runs')
    .option('--set <name=value>', 'overrides a setting; may be given several times', repeated, [])
    .option('--dry-run', 'check everything and print the resolved config, without starting')
    .option('--detach', 'start and return; the run goes on by itself')
    .action(async (file: string, options: RunOptions) => {
      const { loadConfig } = await import('../runner/load-config.ts');
      const config = await loadConfig(file, options.set);
      if (options.dryRun) {
        const { prepareRun } = await import('../runner/prepare-run.ts');
        const prepared = await prepareRun(config);
        io.out({ config: prepared.config, model: prepared.model, data: prepared.data, splits: prepared.splits });
        return;
      }
      const { defaultRunsDir, logEnd, runName } = await import('../workbench/runs.ts');
      const { carryOut, newRun } = await import('./start-run.ts');
      const folder = await newRun(config, resolve(options.runs ?? defaultRunsDir()));
      if (options.detach) {
        const { startRun } = await import('../machine/local.ts');
        const code = await startRun(folder, { detached: true }).begun();
        if (code !== null && code !== 0) throw new RunFailed(`run ${runName(folder)} ended at once: ${await logEnd(folder)}`);
        io.out({ run: runName(folder), folder }, `${runName(folder)} has started; follow it with: medlogictrace runs tail ${folder}`);
        return;
      }
      io.note(`run ${runName(folder)}: ${folder}`);
      await carryOut(folder, `${config.kind} ${config.name ?? ''}`.trim(), io);
      io.out({ run: runName(folder), folder }, `${runName(folder)} has finished: ${folder}`);
    });
}
