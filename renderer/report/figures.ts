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

async function draw(theme: 'light' | 'dark'): Promise<void> {
  const byId = new Map(figures[theme].map((figure) => [figure.id, figure]));
  for (const element of document.querySelectorAll<HTMLElement>('[data-figure]')) {
    const figure = byId.get(element.dataset.figure ?? '');
    if (figure) await window.Plotly.react(element, figure.data, { ...figure.layout, uirevision: figure.id }, config);
  }
  document.documentElement.dataset.figures = 'drawn';
}

const current = () => (dark.matches ? 'dark' : 'light');
dark.addEventListener('change', () => draw(current()));
window.addEventListener('beforeprint', () => draw('light'));
window.addEventListener('afterprint', () => draw(current()));
await draw(current());
