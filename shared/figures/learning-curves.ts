/** Learning curves: a small figure a metric, raw values faint under a smoothed line. */
import { metricInfo } from '../metrics.ts';
import { type Figure, plainText, type Trace } from './figure.ts';
import { figureText } from './number-text.ts';
import { axis, baseLayout, seriesColour, type Theme } from './theme.ts';

export interface StepMetrics {
  step: number;
  metrics: Record<string, number>;
}

export interface CurveOptions {
  /** Share of the past in each smoothed value, 0 to 1 exclusive; 0 draws the raw line alone. @default 0.6 */
  smoothing?: number;
  /** What the curves are of: "run demo-3, seed 42". */
  population?: string;
  height?: number;
}

/**
 * Exponential moving average without the pull of its start: s_t = (1 − β) Σ β^i x_{t−i} ÷ (1 − β^t), as Adam corrects its moments
 * (Kingma & Ba, arXiv 1412.6980). A missing value leaves a gap and does not move the average.
 */
export function debiasedAverage(values: readonly (number | null)[], beta: number): (number | null)[] {
  let sum = 0;
  let weight = 0;
  return values.map((value) => {
    if (value === null || !Number.isFinite(value)) return null;
    sum = beta * sum + (1 - beta) * value;
    weight = beta * weight + (1 - beta);
    return sum / weight;
  });
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

const rank = (name: string): number => {
  const matches = (entry: string) => (entry.endsWith('/') ? name.startsWith(entry) : entry === name);
  const at = ORDER.findIndex(matches);
  return at < 0 ? ORDER.length : at;
};

function curve(theme: Theme, name: string, rows: readonly StepMetrics[], beta: number): Trace[] {
  const steps = rows.map((row) => row.step);
  const raw = rows.map((row) => row.metrics[name] ?? null);
  const colour = seriesColour(theme, name.startsWith('eval_') ? 1 : 0);
  const hover = raw.map((value, i) => `step ${steps[i]}: ${figureText(value)}`);
  const base = { type: 'scatter', x: steps, connectgaps: false } as const;
  // A validation is measured every so many steps: each is a point, and smoothing it would hide how few there are.
  if (beta === 0 || name.startsWith('eval_')) {
    return [
      {
        ...base,
        name,
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
      line: { color: colour, width: 1.5 },
      customdata: hover,
      hovertemplate: '%{customdata}<extra></extra>',
    },
    { ...base, name: `EMA ${beta}`, mode: 'lines', y: debiasedAverage(raw, beta), line: { color: colour, width: 2 }, hoverinfo: 'skip' },
  ];
}

/** A figure for every metric that was written, training and validation; constant-zero curves (KL without β) are left out. */
export function learningCurves(
  theme: Theme,
  { training, validation }: { training: readonly StepMetrics[]; validation: readonly StepMetrics[] },
  { smoothing = 0.6, population = '', height = 220 }: CurveOptions = {},
): Figure[] {
  const rowsOf = (name: string) => (name.startsWith('eval_') ? validation : training);
  const names = new Set([...training, ...validation].flatMap((row) => Object.keys(row.metrics)));
  return [...names]
    .filter((name) => !LEFT_OFF.test(name) && rowsOf(name).some((row) => (row.metrics[name] ?? 0) !== 0))
    .sort((a, b) => rank(a) - rank(b) || a.localeCompare(b))
    .map((name) => {
      const rows = rowsOf(name).filter((row) => Object.hasOwn(row.metrics, name));
      const info = metricInfo(name);
      const unit = info?.unit && info.unit !== 'reward' ? ` (${info.unit})` : '';
      const traces = curve(theme, name, rows, smoothing);
      const last = rows.at(-1)?.metrics[name] ?? null;
      const smoothed = traces.length > 1 ? ` · EMA ${smoothing}` : '';
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
        alt: `${info?.meaning ?? name} Last value ${figureText(last)}${population ? `, ${population}` : ''}.`,
      } satisfies Figure;
    });
}
