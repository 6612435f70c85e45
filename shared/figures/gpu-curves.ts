/** The GPUs of a run's machine as small multiples: one small chart a GPU and figure, all of one figure on the same axis. */
import type { RunTelemetry, StepTimesView } from '../run-live.ts';
import type { Figure, Trace } from './figure.ts';
import { figureText } from './number-text.ts';
import { axis, baseLayout, seriesColour, type Theme } from './theme.ts';

export const GPU_FIGURES = ['utilisation', 'memory_used', 'temperature', 'power'] as const;
export type GpuFigure = (typeof GPU_FIGURES)[number];

const GIB = 2 ** 30;
const WHAT: Record<GpuFigure, { title: string; unit: string; scale: number; colour: number }> = {
  utilisation: { title: 'Is every GPU busy?', unit: '%', scale: 1, colour: 0 },
  memory_used: { title: 'How full is its memory?', unit: 'GiB', scale: GIB, colour: 2 },
  temperature: { title: 'How hot is it?', unit: '°C', scale: 1, colour: 1 },
  power: { title: 'How much power does it draw?', unit: 'W', scale: 1, colour: 3 },
};
export const gpuFigureInfo = (what: GpuFigure): { title: string; unit: string } => WHAT[what];

/** The top of the axis that all GPUs share: what the device has, where it says so, else the most seen. */
export function gpuTop(what: GpuFigure, { gpus, samples }: RunTelemetry): number {
  const known = (gpus ?? []).flatMap((gpu) =>
    what === 'memory_used' ? (gpu.memory_total ?? []) : what === 'power' ? (gpu.power_limit ?? []) : [],
  );
  const seen = samples.flatMap((sample) => sample[what].flatMap((value) => value ?? []));
  if (what === 'utilisation') return 100;
  return Math.max(what === 'temperature' ? 100 : 1, ...known, ...seen) / WHAT[what].scale;
}

/** One GPU's figure over the last hour; a moment at which the driver said nothing is a gap. */
export function gpuCurve(theme: Theme, what: GpuFigure, place: number, telemetry: RunTelemetry): Figure {
  const { unit, scale, colour } = WHAT[what];
  const gpu = telemetry.gpus?.[place];
  const now = telemetry.samples.at(-1)?.time ?? 0;
  const values = telemetry.samples.map((sample) => {
    const value = sample[what][place];
    return value === null || value === undefined ? null : value / scale;
  });
  const last = values.findLast((value) => value !== null) ?? null;
  const name = `GPU ${gpu?.index ?? place}`;
  return {
    id: `gpu-${what.replaceAll('_', '-')}-${gpu?.index ?? place}`,
    data: [
      {
        type: 'scatter',
        name,
        mode: 'lines',
        x: telemetry.samples.map(({ time }) => (time - now) / 60_000),
        y: values,
        line: { color: seriesColour(theme, colour), width: 1.5 },
        connectgaps: false,
        customdata: values.map((value) => `${figureText(value)} ${unit}`),
        hovertemplate: '%{customdata}<extra></extra>',
      },
    ],
    layout: {
      ...baseLayout(theme, `${name}: ${figureText(last)} ${unit}`, '', 120),
      margin: { l: 36, r: 8, t: 32, b: 24 },
      xaxis: axis(theme, { showgrid: false, nticks: 3 }),
      yaxis: axis(theme, { range: [0, gpuTop(what, telemetry)], nticks: 3 }),
      hovermode: 'closest',
    },
    alt: `${name}, ${WHAT[what].title} Last value ${figureText(last)} ${unit}.`,
  };
}

const PARTS = ['generation', 'reward', 'update', 'waiting'] as const;
const PART_WORDS: Record<(typeof PARTS)[number], string> = {
  generation: 'generation',
  reward: 'reward',
  update: 'update',
  waiting: 'waiting for the slowest rank',
};

/** Where the time of each of the last steps went, a line a part. Null where the run does not tell. */
export function stepTimeCurve(theme: Theme, { steps }: StepTimesView): Figure | null {
  const parts = PARTS.filter((part) => steps.some((step) => step[part] !== null));
  if (parts.length === 0) return null;
  const data = parts.map(
    (part, i): Trace => ({
      type: 'scatter',
      name: PART_WORDS[part],
      mode: 'lines',
      x: steps.map(({ step }) => step),
      y: steps.map((step) => step[part]),
      line: { color: seriesColour(theme, i), width: 2 },
      hovertemplate: `%{y:.3g} s<extra>${PART_WORDS[part]}</extra>`,
    }),
  );
  return {
    id: 'step-time-parts',
    data,
    layout: {
      ...baseLayout(theme, 'Where does the time of a step go?', `seconds · last ${steps.length} steps`, 240),
      showlegend: true,
      legend: { orientation: 'h', x: 0, y: -0.2, yanchor: 'top', font: { size: 11, color: theme.quiet } },
      xaxis: axis(theme, { showgrid: false }),
      yaxis: axis(theme, { rangemode: 'tozero', nticks: 5 }),
      hovermode: 'x',
    },
    alt: parts.map((part) => `${PART_WORDS[part]}: ${figureText(steps.at(-1)?.[part] ?? null)} s in the last step`).join('; '),
  };
}

/** The last step of each rank as bars side by side. Null where the engine has one rank, or does not tell. */
export function rankTimeBars(theme: Theme, { steps }: StepTimesView): Figure | null {
  const last = steps.findLast(({ ranks }) => ranks !== null);
  const ranks = last?.ranks ?? null;
  if (last === undefined || ranks === null) return null;
  const parts = (['generation', 'update', 'waiting'] as const).filter((part) => (ranks[part]?.length ?? 0) > 0);
  if (parts.length === 0) return null;
  return {
    id: 'rank-times',
    data: parts.map(
      (part): Trace => ({
        type: 'bar',
        name: PART_WORDS[part],
        x: (ranks[part] ?? []).map((_, rank) => `rank ${rank}`),
        y: [...(ranks[part] ?? [])],
        marker: { color: seriesColour(theme, PARTS.indexOf(part)) },
        hovertemplate: `%{y:.3g} s<extra>${PART_WORDS[part]}</extra>`,
      }),
    ),
    layout: {
      ...baseLayout(theme, 'Does one rank hold up the others?', `seconds · step ${last.step}`, 240),
      barmode: 'group',
      showlegend: true,
      legend: { orientation: 'h', x: 0, y: -0.2, yanchor: 'top', font: { size: 11, color: theme.quiet } },
      xaxis: axis(theme, { type: 'category', showgrid: false }),
      yaxis: axis(theme, { rangemode: 'tozero', nticks: 5 }),
    },
    alt: parts
      .map((part) => `${PART_WORDS[part]} by rank in seconds: ${(ranks[part] ?? []).map((value) => figureText(value)).join(', ')}`)
      .join('; '),
  };
}
