/**
 * The runner: `node main.ts <run folder>` carries out one run from start to finish, or goes on with it where its folder has a past.
 * Exit code 0 done, 1 failed, 2 the folder or its config cannot be used, 130 stopped on request.
 *
 * `--may-resume`: a launcher stands by. Where the engine below is lost, this ends with code 75 and leaves the last word to the launcher.
 * `--because TEXT`: why the launcher started it again.
 */
import { parseArgs } from 'node:util';
import type { EvaluateConfig } from '../../shared/config.ts';
import { ENGINE_LOST } from '../../shared/exit-codes.ts';
import { InputError } from '../../shared/input-error.ts';
import type { RunRecord } from '../../shared/run-record.ts';
import type { Dataset } from '../data/dataset.ts';
import { evaluateRun } from './evaluate-run.ts';
import { trainGrpo } from './grpo.ts';
import { type OpenedModel, openRecordedModel } from './open-model.ts';
import { openRunData } from './prepare-run.ts';
import { sayHowItEnded } from './run-end.ts';
import { openRunFolder, type RunFolder } from './run-folder.ts';
import { trainSupervised } from './sft.ts';
import { StopRequested } from './training-run.ts';

/** Asks whether someone wants this run stopped, between other work, for runs that have no steps of their own. */
function stopOnControl(run: RunFolder, controller: AbortController): NodeJS.Timeout {
  return setInterval(() => {
    if (run.readControl().some(({ verb }) => verb === 'stop')) controller.abort(new StopRequested('stopped: asked for in control.jsonl'));
  }, 300);
}

async function evaluate(run: RunFolder, config: EvaluateConfig, model: OpenedModel, data: Dataset, stop: AbortController): Promise<void> {
  const timer = stopOnControl(run, stop);
  try {
    await evaluateRun(run, config, model, data, stop.signal);
  } finally {
    clearInterval(timer);
  }
}

/** The record, with the backend that the last resume asked for instead of its own. */
async function withLastBackend(run: RunFolder): Promise<RunRecord> {
  const { record } = run;
  const asked = (await run.askedSoFar()).findLast(({ backend }) => backend !== undefined)?.backend;
  if (asked === undefined || asked === record.config.backend) return record;
  run.log(`goes on with backend ${asked}; run.json names ${record.config.backend}, which computed before`);
  return { ...record, config: { ...record.config, backend: asked } };
}

async function carryOut(run: RunFolder, stop: AbortController): Promise<void> {
  const record = await withLastBackend(run);
  const { config } = record;
  const data = await openRunData(config);
  for (const set of Object.values(data)) {
    const frozen = run.record.data.find((d) => set && d.name === set.name && d.split === set.split);
    if (set && frozen?.hash !== set.hash) {
      throw new InputError(`data ${set.name}:${set.split} is not what run.json was made with (other questions); start a new run`, 'data');
    }
  }
  const model = await openRecordedModel(record, { onLog: (line) => console.error(line), signal: stop.signal });
  try {
    if (config.kind === 'evaluate') await evaluate(run, config, model, data.test as Dataset, stop);
    else if (config.kind === 'sft') await trainSupervised(run, config, model, data as Record<'train' | 'validation', Dataset>, stop.signal);
    else await trainGrpo(run, config, model, data as Record<'train' | 'validation', Dataset>, stop.signal);
  } finally {
    await model.policy.dispose();
  }
}

/** The engine's processes are gone and this one is well: what was trained since the last checkpoint is lost, the run is not. */
const engineWasLost = (error: unknown): error is Error => error instanceof Error && error.name === 'EngineLost';

async function main(): Promise<number> {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    // `--resume` says nothing new: a folder with a past is always gone on with.
    options: { resume: { type: 'boolean' }, 'may-resume': { type: 'boolean', default: false }, because: { type: 'string' } },
  });
  const [folder] = positionals;
  if (!folder) {
    console.error('usage: node main/runner/main.ts <run folder>');
    return 2;
  }
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => stop.abort(new StopRequested(`stopped by ${name}`)));
  const run = await openRunFolder(folder, { because: values.because });
  let unsaid: string | null = null;
  try {
    await carryOut(run, stop);
    await run.exit({ code: 0, signal: null, reason: 'finished' });
    return 0;
  } catch (error) {
    if (values['may-resume'] && engineWasLost(error) && !stop.signal.aborted) {
      console.error(`EngineLost: ${error.message.replaceAll(/\s*\n\s*/g, ' ')}`);
      return ENGINE_LOST;
    }
    const ended = await sayHowItEnded(run, error, stop.signal);
    unsaid = ended.unsaid;
    return ended.code;
  } finally {
    closeQuietly(run);
    // Last, so that the log ends with it: where exit.json is missing, that line is all that a watcher has.
    if (unsaid !== null) console.error(unsaid);
  }
}

/** What was to be told is told by now: a disk that refuses even this changes nothing of it. */
function closeQuietly(run: RunFolder): void {
  try {
    run.close();
  } catch (error) {
    console.error(`run folder not closed cleanly: ${error instanceof Error ? error.message : String(error)}`);
  }
}

main().then(
  (code) => process.exit(code),
  (error) => {
    console.error(error instanceof InputError ? error.message : error);
    process.exit(error instanceof InputError ? 2 : 1);
  },
);
