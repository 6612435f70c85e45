/** Runs as plain text for the terminal. */
import type { RunEvent } from '../../shared/run-record.ts';
import type { RunDetail, RunList, RunProgress, RunState, TailItem } from '../../shared/run-view.ts';
import { endedWithoutWord, silenceInWords } from '../../shared/run-words.ts';
import { describeState } from '../workbench/runs.ts';
import { formatDuration } from './progress.ts';
import { textTable } from './text-table.ts';

/** Names and what stands beside them, the names padded to one width. */
function namedLines(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, text]) => `${name.padEnd(width)}  ${text}`).join('\n');
}

const shortState = (state: RunState): string => {
  if (state.state !== 'exited') return state.state;
  if (state.exit === null) return endedWithoutWord(state);
  // 128 + SIGINT: ended because somebody asked for it.
  if (state.exit.code === 130) return 'stopped';
  if (state.exit.code === null) return state.exit.signal ?? 'ended';
  return state.exit.code === 0 ? 'done' : `failed (${state.exit.code})`;
};

/** `step 120/300`, what the run last said that it does, and the time left. */
export function progressText(progress: RunProgress): string {
  const parts: string[] = [];
  if (progress.step !== null) parts.push(`step ${progress.step}${progress.total_steps === null ? '' : `/${progress.total_steps}`}`);
  if (progress.what !== null) parts.push(`${progress.what} ${progress.done}/${progress.total}`);
  if (progress.seconds_left !== null) parts.push(`${formatDuration(progress.seconds_left)} left`);
  return parts.join(', ');
}

const minute = (time: string): string => time.slice(0, 16).replace('T', ' ');

/** `runs list` */
export function runListText(list: RunList): string {
  const state = (run: RunList['runs'][number]) => (run.stuck ? 'live, stuck?' : shortState(run.state));
  const rows = list.runs.map((run) => [run.id, run.kind, state(run), minute(run.created), progressText(run.progress)]);
  const titles = ['run', 'kind', 'state', 'created (UTC)', 'progress'];
  const shown = rows.length === 0 ? `no runs in ${list.runs_dir}` : textTable(titles, rows);
  return [shown, ...list.unreadable.map(({ folder, message }) => `unreadable: ${folder}: ${message}`)].join('\n');
}

const number = (value: number): string => (Number.isInteger(value) ? String(value) : value.toPrecision(4));
const metricsText = (metrics: Record<string, number>): string =>
  Object.entries(metrics)
    .map(([name, value]) => `${name} ${number(value)}`)
    .join('  ');

/** `runs show` */
export function runDetailText(run: RunDetail): string {
  const rows: [string, string][] = [
    ['run', run.id],
    ['folder', run.folder],
    ...(run.machine === undefined ? [] : [['machine', run.machine] as [string, string]]),
    ['kind', run.kind],
    ['created', run.created],
    ['state', describeState(run.state)],
    ['evidence', run.state.evidence],
    ...(run.stuck ? [['stuck?', silenceInWords(run.stuck)] as [string, string]] : []),
    ['progress', progressText(run.progress) || 'none yet'],
    ['model', run.record.model.path],
    ['data', run.record.data.map((one) => `${one.name}:${one.split} (${one.n})`).join(', ')],
    ['trained on', run.record.splits.trained_on ?? 'nothing'],
    ['selected on', run.record.splits.selected_on ?? 'nothing'],
    ['reported on', run.record.splits.reported_on ?? 'nothing'],
    ['checkpoints', run.checkpoints.map(({ step, there }) => (there ? String(step) : `${step} (deleted)`)).join(', ') || 'none'],
  ];
  if (run.resumed_from.length > 0) rows.push(['resumed from', run.resumed_from.map((step) => `step ${step}`).join(', ')]);
  if (run.metrics !== null) rows.push(['last step', metricsText(run.metrics)]);
  if (run.validation !== null) rows.push(['validation', metricsText(run.validation)]);
  const { counted, superseded, malformed, gaps } = run.events;
  const faults = [
    superseded > 0 ? `${superseded} superseded by a resume` : '',
    malformed > 0 ? `${malformed} torn or malformed` : '',
    gaps.length > 0 ? `${gaps.length} gaps in the numbering: lines were lost` : '',
  ].filter((text) => text !== '');
  rows.push(['events', [String(counted), ...faults].join(', ')]);
  return namedLines(rows);
}

function eventText(event: RunEvent): string {
  switch (event.type) {
    case 'started':
      return `started${event.total_steps === null ? '' : `, ${event.total_steps} steps`} (process ${event.pid})`;
    case 'step':
      return `step ${event.step}  ${metricsText(event.metrics)}`;
    case 'validation':
      return `validation at step ${event.step}  ${metricsText(event.metrics)}`;
    case 'checkpoint':
      return `checkpoint ${event.folder}`;
    case 'progress':
      return `${event.what} ${event.done}/${event.total}${event.seconds_left === null ? '' : `, ${formatDuration(event.seconds_left)} left`}`;
    case 'evaluation':
      return `evaluation of ${event.result.model} on ${event.result.data}:${event.result.split}  accuracy ${number(event.result.accuracy)}`;
    case 'early_stopped':
      return `stopped early at step ${event.step}: best ${event.metric} ${number(event.value)} at step ${event.best_step}`;
    case 'resumed':
      return `resumed ${event.reason === undefined ? '' : `by itself (${event.reason}) `}from step ${event.step}; what came after line ${event.supersedes_after_seq} no longer counts`;
    case 'stopping':
      return `stopping at step ${event.step}: ${event.reason}`;
    case 'finished':
      return `finished at step ${event.step}${event.model === null ? '' : `, model ${event.model}`}`;
  }
}

/** A line of `runs tail`. */
export function tailText(item: TailItem): string {
  if (item.kind === 'event') return `${item.event.time.slice(11, 19)}  ${eventText(item.event)}`;
  if (item.kind === 'state') return `-- ${describeState(item.state)}`;
  if (item.kind === 'malformed') return `-- a line that cannot be read (${item.message})`;
  return `-- lines are missing: number ${item.gap.expected} was due, ${item.gap.found} came`;
}
