/** Memory and processor of a run over the last minutes. */
import type { UsageSample } from '../run-live.ts';
import type { Figure } from './figure.ts';
import { figureText } from './number-text.ts';
import { axis, baseLayout, seriesColour, type Theme } from './theme.ts';

const GIB = 2 ** 30;

export function usageCurve(
  theme: Theme,
  what: 'memory' | 'cores',
  samples: readonly UsageSample[],
  machine: { memory: number; cores: number },
): Figure {
  const now = samples.at(-1)?.time ?? 0;
  const values = samples.map((sample) => (what === 'memory' ? sample.memory / GIB : sample.cores));
  const unit = what === 'memory' ? 'GiB' : 'cores';
  const total = what === 'memory' ? machine.memory / GIB : machine.cores;
  const title = what === 'memory' ? 'How much memory does it hold?' : 'How busy is the processor?';
  return {
    id: `usage-${what}`,
    data: [
      {
        type: 'scatter',
        name: what,
        mode: 'lines',
        x: samples.map(({ time }) => (time - now) / 1000),
        y: values,
        line: { color: seriesColour(theme, what === 'memory' ? 0 : 2), width: 2 },
        customdata: values.map((value) => `${figureText(value)} ${unit}`),
        hovertemplate: '%{customdata}<extra></extra>',
      },
    ],
    layout: {
      ...baseLayout(theme, title, `${unit}; this machine has ${figureText(total)} · process of the run and its children`, 240),
      xaxis: axis(theme, { showgrid: false, label: 'seconds before now' }),
      yaxis: axis(theme, { rangemode: 'tozero', nticks: 5 }),
      hovermode: 'closest',
    },
    alt: `${what === 'memory' ? 'Resident memory' : 'Processor time per second'}, last value ${figureText(values.at(-1) ?? null)} ${unit}.`,
  };
}
