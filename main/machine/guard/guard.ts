/**
 * The guard's work, a look at a time, so that one that was killed goes on where it stood: everything that it knows stands in
 * `guard-state.json`. Times are its own; money is price × time that passed, the time in which no guard lived included.
 */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { type GuardConfig, type GuardEntry, type GuardReason, GuardState, guardReason } from '../../../shared/pod-guard.ts';
import { formatIdentity, identify } from '../../../shared/process-identity.ts';
import { RunpodClient } from '../runpod/client.ts';
import { RunpodError } from '../runpod/runpod-error.ts';
import { thisSystem } from '../system-probe.ts';
import { GuardFiles } from './guard-files.ts';
import { GuardedRuns } from './guarded-runs.ts';
import { podEnvironment } from './pod-environment.ts';

const run = promisify(execFile);
const seconds = (): number => performance.now() / 1000;
/** A run's heart beats each second; a machine that swaps may miss some. */
const LEAST_PATIENCE_S = 5;
const money = (usd: number): string => `$${usd.toFixed(2)}`;
const words: Record<GuardReason, (state: GuardState) => string> = {
  budget: ({ spent_usd, budget_usd }) =>
    `${money(spent_usd)} of the budget of ${money(budget_usd ?? 0)} are spent or held back for stopping`,
  idle: ({ idle_seconds }) => `no run has been live for ${Math.round(idle_seconds)} s`,
};

export class Guard {
  private readonly files: GuardFiles;
  private readonly runs = new GuardedRuns();
  private config: GuardConfig;
  private state: GuardState;
  private at = seconds();
  private pricedAt = Number.NEGATIVE_INFINITY;
  private busy: string | null = null;
  private said: string | null = null;

  /** Errors: an Error that says what is wrong with `guard.json`. */
  constructor(folder: string) {
    this.files = new GuardFiles(folder);
    const config = this.files.config();
    if (config === null) throw new Error(`there is no guard.json in ${folder}`);
    this.config = config;
    const before = this.files.state();
    this.state = before?.config === config.id ? this.afterGap(before) : fresh(config, before);
    this.note('started', `guards pod ${config.pod}: ${limits(config)}`);
  }

  /** The time in which no guard lived cost money too, unless the pod was stopped meanwhile; one that is there again may stay for now. */
  private afterGap(before: GuardState): GuardState {
    if (before.phase === 'done' || before.container !== thisContainer())
      return { ...before, phase: 'watching', reason: null, idle_seconds: 0, asked_seconds: 0, container: thisContainer() };
    const gap = Math.max(0, (Date.now() - Date.parse(before.time)) / 1000);
    return {
      ...before,
      spent_usd: before.spent_usd + (before.price_per_hour * gap) / 3600,
      idle_seconds: before.idle_seconds + gap,
      asked_seconds: before.phase === 'asking' ? before.asked_seconds + gap : before.asked_seconds,
    };
  }

  /** Looks and acts until the pod is stopped or the guard is told to end. Errors: the system's. */
  async keep(): Promise<void> {
    for (;;) {
      if (!this.readConfig()) return this.note('ended', 'guard.json was removed');
      this.count();
      await this.look();
      this.files.write(this.state);
      if (this.state.phase === 'done') return;
      await sleep(1000 * this.config.poll_seconds);
    }
  }

  /** False where there is none any more. One that cannot be read is told, and the one before stays in force. */
  private readConfig(): boolean {
    try {
      const config = this.files.config();
      if (config === null) return false;
      if (JSON.stringify(config) === JSON.stringify(this.config)) return true;
      if (config.id !== this.config.id) this.state = { ...fresh(config, this.state), phase: this.state.phase, reason: this.state.reason };
      this.config = config;
      this.note('config', limits(config));
    } catch (error) {
      this.once('refused', error instanceof Error ? error.message : String(error));
    }
    return true;
  }

  private count(): void {
    const now = seconds();
    const passed = now - this.at;
    this.at = now;
    const { state, config } = this;
    const { live, working } = this.runs.look(config.runs, now, Math.max(LEAST_PATIENCE_S, 3 * config.poll_seconds));
    const before = state.spent_usd;
    state.spent_usd += (state.price_per_hour * passed) / 3600;
    state.idle_seconds = working.length > 0 || this.isBusy() ? 0 : state.idle_seconds + passed;
    if (state.phase === 'asking') state.asked_seconds += passed;
    state.live_runs = live.map((folder) => folder.split('/').at(-1) ?? folder);
    state.budget_usd = config.budget_usd;
    state.idle_limit_seconds = config.idle_seconds;
    state.beat++;
    state.time = new Date().toISOString();
    const warnAt = 0.8 * (config.budget_usd ?? Number.POSITIVE_INFINITY);
    if (before < warnAt && state.spent_usd >= warnAt)
      this.note('warning', `80 % of the budget of ${money(config.budget_usd ?? 0)} is spent`);
    this.live = live;
  }
  private live: string[] = [];

  /** Whoever prepares the pod writes into `busy`; a text that changes is a sign of life. */
  private isBusy(): boolean {
    let text: string | null = null;
    try {
      text = readFileSync(join(this.files.folder, 'busy'), 'utf8');
    } catch {
      // Nobody does.
    }
    const changed = text !== null && text !== this.busy;
    this.busy = text;
    return changed;
  }

  private async look(): Promise<void> {
    const { state } = this;
    if (state.phase === 'watching') await this.askPrice();
    const reason = guardReason(this.config, state);
    if (state.phase === 'watching' && reason !== null) {
      Object.assign(state, { phase: 'asking', reason, asked_seconds: 0 });
      this.note(
        'asked',
        `${words[reason](state)}: the pod will be stopped${this.live.length > 0 ? ` once ${state.live_runs.join(', ')} have saved` : ''}`,
      );
    }
    // While it is asking only: RunPod is not called back.
    if (state.phase === 'asking' && reason === null) {
      Object.assign(state, { phase: 'watching', reason: null, asked_seconds: 0 });
      this.runs.forget();
      this.note('reprieve', 'the limits were widened: the pod stays');
      return;
    }
    if (state.phase === 'asking') {
      for (const folder of this.runs.askToStop(this.live)) this.note('asked', `asked ${folder} to stop`);
      const late = state.asked_seconds >= this.config.wait_seconds;
      if (this.live.length > 0 && !late) return;
      if (this.live.length > 0)
        this.note(
          'late',
          `${state.live_runs.join(', ')} had not stopped after ${this.config.wait_seconds} s: what came after the last checkpoint is lost`,
        );
      state.phase = 'stopping';
      this.note('stopping', `asking RunPod to ${this.config.action} pod ${this.config.pod}`);
      // A guard that is killed now must find this.
      this.files.write(state);
    }
    if (state.phase === 'stopping' && (await this.stopPod())) {
      state.phase = 'done';
      this.note('stopped', `RunPod was asked to ${this.config.action} pod ${this.config.pod} and agreed`);
    }
  }

  private client(): RunpodClient {
    return new RunpodClient({ key: async () => podEnvironment(this.config.environ).key, base: this.config.api });
  }

  private async askPrice(): Promise<void> {
    if (seconds() - this.pricedAt < this.config.price_seconds) return;
    this.pricedAt = seconds();
    try {
      const pod = await this.client().pod(this.config.pod, AbortSignal.timeout(60_000));
      if (pod !== null && pod.cost > 0) this.state.price_per_hour = pod.cost;
    } catch (error) {
      this.once('refused', `the price could not be asked: ${error instanceof Error ? error.message : String(error)}`);
    }
    // What is counted goes on meanwhile.
  }

  /** True once RunPod has agreed, or the pod is gone. Everything else is tried again at the next look, for as long as it takes. */
  private async stopPod(): Promise<boolean> {
    const { pod, action } = this.config;
    try {
      await this.client().act(pod, action);
      return true;
    } catch (error) {
      if (error instanceof RunpodError && (error.kind === 'conflict' || error.kind === 'not_found')) {
        // Already stopped, or terminated: by a request whose answer was lost, or by its owner.
        const now = await this.client()
          .pod(pod)
          .catch(() => undefined);
        if (now === null || now?.status === 'EXITED' || now?.status === 'TERMINATED') return true;
      }
      this.once('refused', error instanceof Error ? error.message : String(error));
      return error instanceof RunpodError && (error.kind === 'key' || error.kind === 'forbidden') ? this.byCommand() : false;
    }
  }

  /** Official images hold `runpodctl`, which stops a pod from inside (pods/manage-pods, "Stop a Pod"), with the container's own key. */
  private async byCommand(): Promise<boolean> {
    const verb = this.config.action === 'stop' ? 'stop' : 'delete';
    try {
      await run('runpodctl', ['pod', verb, this.config.pod], { timeout: 60_000 });
      this.note('stopping', `runpodctl pod ${verb} ended with 0`);
      return true;
    } catch (error) {
      this.once('refused', `runpodctl: ${error instanceof Error ? error.message : String(error)}`);
      return false;
    }
  }

  private note(what: GuardEntry['what'], text: string): void {
    this.files.note(what, text, this.state.spent_usd);
  }

  /** As `note`, for what may be said at each look. */
  private once(what: GuardEntry['what'], text: string): void {
    if (text !== this.said) this.note(what, text);
    this.said = text;
  }
}

const thisContainer = (): string => formatIdentity(identify(1, thisSystem));

const limits = ({ budget_usd, idle_seconds, price_per_hour, spent_usd }: GuardConfig): string =>
  [
    `${money(price_per_hour)} an hour, ${money(spent_usd)} spent before`,
    budget_usd === null ? 'no budget' : `budget ${money(budget_usd)}`,
    idle_seconds === null ? 'no idle limit' : `idle limit ${idle_seconds} s`,
  ].join(', ');

function fresh(config: GuardConfig, before: GuardState | null): GuardState {
  return GuardState.parse({
    config: config.id,
    pod: config.pod,
    beat: before?.beat ?? 0,
    phase: 'watching',
    reason: null,
    spent_usd: config.spent_usd,
    price_per_hour: config.price_per_hour,
    budget_usd: config.budget_usd,
    idle_seconds: 0,
    idle_limit_seconds: config.idle_seconds,
    asked_seconds: 0,
    live_runs: [],
    container: thisContainer(),
    time: new Date().toISOString(),
  });
}
