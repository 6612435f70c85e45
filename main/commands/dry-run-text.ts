/** What `run --dry-run` prints: the resolved config with the source of each value, then what the run will take. */
import { leavesOf } from '../../shared/config-layers.ts';
import type { DryRun, Range, RunEstimate } from '../../shared/dry-run.ts';
import { signalText } from '../../shared/learning-signal.ts';

const number = (value: number): string => Math.round(value).toLocaleString('en-US');

/** `12,000 (10,500 to 13,400)`, or the number alone where it is exact. */
const ranged = ({ value, low, high }: Range, say: (value: number) => string = number): string =>
  say(low) === say(high) ? say(value) : `${say(value)} (${say(low)} to ${say(high)})`;

const bytes = (value: number): string => (value < 2 ** 30 ? `${(value / 2 ** 20).toFixed(0)} MiB` : `${(value / 2 ** 30).toFixed(1)} GiB`);

function duration(seconds: number): string {
  if (seconds < 100) return `${Math.max(1, Math.round(seconds))} s`;
  return seconds < 6000 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}

function estimateLines({ steps, answers, tokens, answer_length, memory, seconds, learning_signal, probe, notes }: RunEstimate): string[] {
  const lines: string[] = [];
  const line = (name: string, text: string) => lines.push(`  ${name.padEnd(9)}${text}`);
  if (steps !== null) line('steps', number(steps));
  if (answers > 0) {
    const length = answer_length ? ` of ${ranged(answer_length)} tokens` : '';
    line('answers', `${number(answers)}${length}; the prompts before them have ${number(tokens.prompt)} tokens`);
  }
  const parts = [
    [tokens.completion, 'written'],
    [tokens.trained, 'trained on'],
    [tokens.scored, 'scored'],
  ] as const;
  const counted = parts.flatMap(([range, what]) => (range && range.high > 0 ? [`${ranged(range)} ${what}`] : []));
  if (counted.length > 0) line('tokens', counted.join(', '));
  const { weights, reference, optimizer, gradients, activations, generation, total, thread, limit } = memory;
  const held = [
    [weights, 'weights'],
    [reference, 'reference'],
    [optimizer, 'optimizer'],
    [gradients, 'gradients'],
    [activations, 'activations'],
    [generation, 'writing'],
  ] as const;
  const named = held.flatMap(([size, what]) => (size > 0 ? [`${what} ${bytes(size)}`] : []));
  line('memory', `${bytes(total)}, beside about 0.2 GiB for the program (${named.join(', ')})`);
  line(
    '',
    `one thread holds ${bytes(thread)} at its peak, ${limit === null ? 'and what its device has is not told' : `of ${bytes(limit)} that it can`}`,
  );
  line('time', seconds === null ? 'not known' : `${ranged(seconds, duration)}, without loading and checkpoints`);
  if (learning_signal) line('signal', signalText(learning_signal));
  if (probe) line('trial', `${probe.answers > 0 ? `${probe.answers} answers, ` : ''}${probe.seconds.toFixed(1)} s`);
  return [...lines, ...notes.map((note) => `  ${note}`)];
}

/** The text of a dry run. */
export function dryRunText({ config, sources, estimate, model, data, splits }: DryRun): string {
  const rows = leavesOf(config).map(({ path, value }) => {
    const name = path.join('.');
    return { setting: `${name} = ${JSON.stringify(value)}`, source: sources[name] ?? 'default' };
  });
  const width = Math.min(80, Math.max(...rows.map(({ setting }) => setting.length)));
  return [
    ...rows.map(({ setting, source }) => `${setting.padEnd(width)}  (${source})`),
    '',
    `model  ${model.path}, ${number(model.parameters)} parameters`,
    ...data.map((set) => `data   ${set.name}:${set.split}, ${number(set.n)} questions`),
    `splits trained on ${splits.trained_on ?? 'none'}, selected on ${splits.selected_on ?? 'none'}, reported on ${splits.reported_on ?? 'none'}`,
    ...(estimate === null ? [] : ['', 'estimate', ...estimateLines(estimate)]),
  ].join('\n');
}
