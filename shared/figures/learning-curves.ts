/** Learning curves: a small figure a metric, raw values faint under a smoothed line. */
import { nextAverage } from '../metric-series.ts';
import { metricInfo } from '../metrics.ts';
import { type Figure, plainText, type Trace } from './figure.ts';
import { figureText } from './number-text.ts';
import { axis, baseLayout, seriesColour, type Theme } from './theme.ts';

export interface StepMetrics {
  step: number;
  metrics: Record<string, number>;
}

/** The metrics of one training run. */
export interface RunCurves {
  name: string;
  training: readonly StepMetrics[];
  /** `eval_*`, measured on the validation split. */
  validation: readonly StepMetrics[];
}

export interface CurveOptions {
  /** Share of the past in each smoothed value, 0 to 1 exclusive; 0 draws the raw line alone. @default 0.6 */
  smoothing?: number;
  /** What the curves are of: "run demo-3, seed 42". */
  population?: string;
  height?: number;
}

/** Every value smoothed (`nextAverage`). A missing value leaves a gap and does not move the average. */
export function debiasedAverage(values: readonly (number | null)[], beta: number): (number | null)[] {
  const average = { sum: 0, weight: 0 };
  return values.map((value) => (value === null || !Number.isFinite(value) ? null : nextAverage(average, value, beta)));
}

/** Order of the figures on a page: what matters first. Reward functions come after the reward, what is not listed comes last. */
const ORDER = [
  'reward',
  'rewards/',
  'completions/mean_length',
  'eval_accuracy',
  'eval_reward',
  'eval_completions/mean_length',
  'accuracy',
  'reward_std',
  'frac_reward_zero_std',
  'completions/clipped_ratio',
  'kl',
  'entropy',
  'grad_norm',
  'clip_ratio/region_mean',
  'learning_rate',
  'loss',
  'step_time',
];
/** Kept in the files, left off the page: their curves say what another already says. */
const LEFT_OFF = /^(completions\/(min|max|mean_terminated)_length|num_tokens|clip_ratio\/(low|high)_mean|rewards\/.*\/std)$/;

/** Whether its curve says what another already says. */
export const isSecondary = (name: string): boolean => LEFT_OFF.test(name);

/** Place of a metric on a page: least first. */
export const rankOfMetric = (name: string): number => {
  const matches = (entry: string) => (entry.endsWith('/') ? name.startsWith(entry) : entry === name);
  const at = ORDER.findIndex(matches);
  return at < 0 ? ORDER.length : at;
};

/** What a run's curves look like beside others: its colour, and its name in the legend where there are several. */
interface RunLook {
  colour: string;
  label: string | null;
}

function curve(name: string, rows: readonly StepMetrics[], beta: number, { colour, label }: RunLook): Trace[] {
  const steps = rows.map((row) => row.step);
  const raw = rows.map((row) => row.metrics[name] ?? null);
  const whose = label === null ? '' : `${plainText(label)}, `;
  const hover = raw.map((value, i) => `${whose}step ${steps[i]}: ${figureText(value)}`);
  const base = {
    type: 'scatter',
    x: steps,
    connectgaps: false,
    ...(label === null ? {} : { legendgroup: label }),
  } as const;
  const titled = (fallback: string) => (label === null ? { name: fallback } : { name: plainText(label), showlegend: true });
  // A validation is measured every so many steps: each is a point, and smoothing it would hide how few there are.
  if (beta === 0 || name.startsWith('eval_')) {
    return [
      {
        ...base,
        ...titled(name),
        mode: 'lines+markers',
        y: raw,
        line: { color: colour, width: 2 },
        marker: { color: colour, size: 5 },
        customdata: hover,
        hovertemplate: '%{customdata}<extra></extra>',
      },
    ];
  }
  return [
    {
      ...base,
      name: 'raw',
      mode: 'lines',
      y: raw,
      opacity: 0.25,
      ...(label === null ? {} : { showlegend: false }),
      line: { color: colour, width: 1.5 },
      customdata: hover,
      hovertemplate: '%{customdata}<extra></extra>',
    },
    {
      ...base,
      ...titled(`EMA ${beta}`),
      mode: 'lines',
      y: debiasedAverage(raw, beta),
      line: { color: colour, width: 2 },
      hoverinfo: 'skip',
    },
  ];
}

/** A figure for every metric that was written, training and validation, a colour a run; constant-zero curves (KL without β) are left out. */
export function learningCurves(
  theme: Theme,
  runs: readonly RunCurves[],
  { smoothing = 0.6, population = '', height = 220 }: CurveOptions = {},
): Figure[] {
  const rowsOf = (run: RunCurves, name: string) =>
    (name.startsWith('eval_') ? run.validation : run.training).filter((row) => Object.hasOwn(row.metrics, name));
  const names = new Set(runs.flatMap((run) => [...run.training, ...run.validation]).flatMap((row) => Object.keys(row.metrics)));
  const several = runs.length > 1;
  return [...names]
    .filter((name) => !isSecondary(name) && runs.some((run) => rowsOf(run, name).some((row) => (row.metrics[name] ?? 0) !== 0)))
    .sort((a, b) => rankOfMetric(a) - rankOfMetric(b) || a.localeCompare(b))
    .map((name) => {
      const info = metricInfo(name);
      const unit = info?.unit && info.unit !== 'reward' ? ` (${info.unit})` : '';
      const traces = runs.flatMap((run, i) => {
        const colour = seriesColour(theme, several ? i : name.startsWith('eval_') ? 1 : 0);
        return curve(name, rowsOf(run, name), smoothing, { colour, label: several ? run.name : null });
      });
      const last = runs.map((run) => `${several ? `${run.name} ` : ''}${figureText(rowsOf(run, name).at(-1)?.metrics[name] ?? null)}`);
      const smoothed = smoothing > 0 && !name.startsWith('eval_') ? ` · EMA ${smoothing}` : '';
      const layout = baseLayout(theme, plainText(info?.question ?? name), plainText(`${name}${unit}${smoothed}`), height);
      return {
        id: `curve-${name.replace(/[^\w]+/g, '-')}`,
        data: traces,
        layout: {
          ...layout,
          margin: { l: 44, r: 12, t: 60, b: 32 },
          xaxis: axis(theme, { showgrid: false, nticks: 6, label: 'step' }),
          yaxis: axis(theme, { nticks: 5, rangemode: 'tozero' }),
          hovermode: 'closest',
        },
        alt: `${info?.meaning ?? name} Last value ${last.join(', ')}${population ? `, ${population}` : ''}.`,
      } satisfies Figure;
    });
}
