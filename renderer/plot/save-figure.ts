/** A figure as a file: PNG or SVG, as it stands on the screen. */
import type { Figure } from '../../shared/figures/figure.ts';
import { loadPlotly } from './plotly.ts';

export interface FigureSize {
  width: number;
  height: number;
}

/** Offers `content` to the user as a download named `name`. */
export function saveFile(name: string, content: Blob): void {
  const url = URL.createObjectURL(content);
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  // Not at once: some browsers read the address only after the click was handled.
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

const fileName = (name: string): string =>
  name
    .replaceAll(/[^\w.-]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(0, 80) || 'figure';

/** Draws the figure anew at the size given (PNG: two pixels a unit) and saves it. */
export async function saveFigure(figure: Figure, name: string, format: 'png' | 'svg', { width, height }: FigureSize): Promise<void> {
  const plotly = await loadPlotly();
  const url = await plotly.toImage(
    { data: figure.data, layout: { ...figure.layout, height } },
    { format, width, height, scale: format === 'png' ? 2 : 1 },
  );
  const [head = '', body = ''] = [url.slice(0, url.indexOf(',')), url.slice(url.indexOf(',') + 1)];
  const content = head.endsWith(';base64')
    ? new Blob([Uint8Array.from(atob(body), (char) => char.charCodeAt(0))], { type: 'image/png' })
    : new Blob([decodeURIComponent(body)], { type: 'image/svg+xml' });
  saveFile(`${fileName(name)}.${format}`, content);
}
