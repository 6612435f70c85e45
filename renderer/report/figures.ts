/** Draws the report's figures in the reader's theme; on paper they are light. */
import type { Figure } from '../../shared/figures/figure.ts';
import type { ReportFigures } from '../../shared/report-data.ts';

interface Plotly {
  react(element: HTMLElement, data: Figure['data'], layout: Figure['layout'], config: Record<string, unknown>): Promise<unknown>;
}
declare const window: Window & { Plotly: Plotly };

const figures: ReportFigures = JSON.parse(document.getElementById('figure-data')?.textContent ?? '{"light":[],"dark":[]}');
const dark = matchMedia('(prefers-color-scheme: dark)');
const config = {
  responsive: true,
  displaylogo: false,
  displayModeBar: 'hover',
  modeBarButtons: [['toImage']],
  toImageButtonOptions: { format: 'svg', scale: 2 },
};

/** Width of the text on A4 and Letter paper with the margins of the style sheet, less a figure's padding; curves stand two in a row. */
const PAPER = { wide: 640, curve: 296 };

const drawnOf = (theme: 'light' | 'dark', paper: boolean): Promise<unknown>[] => {
  const byId = new Map(figures[theme].map((figure) => [figure.id, figure]));
  return [...document.querySelectorAll<HTMLElement>('[data-figure]')].map((element) => {
    const figure = byId.get(element.dataset.figure ?? '');
    if (!figure) return Promise.resolve();
    const width = element.closest('.curves') ? PAPER.curve : PAPER.wide;
    return window.Plotly.react(element, figure.data, { ...figure.layout, ...(paper ? { width } : {}), uirevision: figure.id }, config);
  });
};

const current = () => (dark.matches ? 'dark' : 'light');
const onScreen = () => drawnOf(current(), false);
dark.addEventListener('change', onScreen);
// All of them at once: a browser prints as soon as this returns, and Plotly draws before it does.
window.addEventListener('beforeprint', () => drawnOf('light', true));
window.addEventListener('afterprint', onScreen);
await Promise.all(onScreen());
document.documentElement.dataset.figures = 'drawn';
