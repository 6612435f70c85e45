/** Starting a run from the window: what it may name, and once for each request however often it is asked. */
import { existsSync } from 'node:fs';
import { join, resolve, sep } from 'node:path';
import { readHubName } from '../../shared/hub-model.ts';
import { InputError } from '../../shared/input-error.ts';
import { isPlainObject, type JsonObject } from '../../shared/json-object.ts';
import type { AttendOutput } from '../../shared/remote-run.ts';
import type { Place, StartedRun } from '../../shared/rpc/configure.ts';
import { DATASET_NAMES } from '../data/catalogue.ts';
import { ownNames } from '../data/imported-set.ts';
import { startRun } from '../machine/local.ts';
import { defaultHubDir } from './hub-models.ts';
import { defaultModelsDir, EMBEDDED } from './models.ts';
import { openMachine } from './remote/machines.ts';
import { planHere, startHere } from './remote/queue-here.ts';
import { startRemote } from './remote/start-remote.ts';
import type { RunnerService } from './runner-service.ts';
import { logEnd } from './runs.ts';

const isBelow = (path: string, folder: string): boolean => resolve(path).startsWith(resolve(folder) + sep);

/** `organisation/name`, looked for in the Hub's cache; where such a folder lies here, that would be opened instead. */
const isOfHub = (model: string): boolean => readHubName(model) !== null && !existsSync(resolve(model));

/**
 * The window must not open what nobody put where models and data sets belong: models by name or below the folders of models, runs and
 * the Hub, data sets by name. Errors: InputError that names the field and the way round.
 */
export function checkNamed(config: JsonObject, runsDir: string): void {
  if ('extends' in config) throw new InputError('"extends" belongs in a file; the window sends settings whole', 'extends');
  const { model, data, few_shot } = config;
  if (typeof model === 'string' && !EMBEDDED.includes(model) && !isOfHub(model)) {
    const folders = [defaultModelsDir(runsDir), runsDir, defaultHubDir()];
    if (!folders.some((folder) => isBelow(model, folder))) {
      throw new InputError(
        `the window opens models of its list only (those of ${folders[0]}, of the Hugging Face Hub and of runs), and ${model} is none of them; add its folder in Models, or start this config on the command line`,
        'model',
      );
    }
  }
  const named: [string, unknown][] = [
    ...(isPlainObject(data) ? ['train', 'validation', 'test'].map((key): [string, unknown] => [`data.${key}`, data[key]]) : []),
    ...(isPlainObject(few_shot) ? ([['few_shot.data', few_shot.data]] as [string, unknown][]) : []),
  ];
  const names = [...DATASET_NAMES, ...ownNames()];
  for (const [field, spec] of named) {
    // A wrong name is told by the check that opens it, which knows what was meant.
    if (typeof spec !== 'string' || !/[/\\]/.test(spec) || names.includes(spec.split(':')[0] ?? '')) continue;
    throw new InputError(
      `the window opens data sets of its list only, and ${spec} is a file; import it in Data sets, or start this config on the command line`,
      field,
    );
  }
}

/** Whether a runner has ever had the folder. */
const wasStarted = (folder: string): boolean => existsSync(join(folder, 'pid')) || existsSync(join(folder, 'exit.json'));

/** Starts runs, each request once: asked twice at once both get the one answer, and asked later, even by another process, its run. */
export class RunStarts {
  private readonly runsDir: string;
  private readonly runner: RunnerService;
  private readonly begun = new Map<string, Promise<StartedRun>>();

  constructor(runsDir: string, runner: RunnerService) {
    this.runsDir = runsDir;
    this.runner = runner;
  }

  /** Errors: InputError naming the field; Error with the end of the log where the run ended at once. */
  start(config: JsonObject, request: string, place?: Place): Promise<StartedRun> {
    const known = this.begun.get(request);
    if (known !== undefined) return known.then(({ run, waiting }) => ({ run, again: true, waiting }));
    const starting = this.carryOut(config, request, place);
    this.begun.set(request, starting);
    // What failed may be mended and asked again.
    starting.catch(() => this.begun.delete(request));
    return starting;
  }

  private async carryOut(config: JsonObject, request: string, place: Place | undefined): Promise<StartedRun> {
    checkNamed(config, this.runsDir);
    if (place !== undefined && place.machine !== 'local') return this.there(config, request, place);
    const { run, folder } = await this.runner.ask('config.create', { config, runs_dir: this.runsDir, request });
    if (wasStarted(folder)) return { run, again: true, waiting: null };
    if (place !== undefined) return this.inTurn(run, folder, place);
    const code = await startRun(folder, { detached: true }).begun();
    if (code !== null && code !== 0) throw new Error(`run ${run} ended at once: ${logEnd(folder)}`);
    return { run, again: false, waiting: null };
  }

  /** Through the queue of this machine. */
  private async inTurn(run: string, folder: string, { gpus, queue, auto_resume }: Place): Promise<StartedRun> {
    await planHere(folder, { gpus, auto_resume, env: {} });
    return this.told(run, await startHere(folder, { resume: false, wait: queue }));
  }

  private async there(settings: JsonObject, request: string, place: Place): Promise<StartedRun> {
    const { machine, gpus, queue: wait, auto_resume: autoResume } = place;
    const start = { machine, settings, request, runsDir: this.runsDir, gpus, wait, autoResume };
    const { run, ...started } = await startRemote(start, openMachine);
    return this.told(run, started);
  }

  private told(run: string, { outcome, place, said }: AttendOutput<'start'>): StartedRun {
    if (outcome === 'ended') throw new Error(`run ${run} ended at once: ${said}`);
    return { run, again: outcome === 'was_started', waiting: outcome === 'waiting' ? place : null };
  }
}
