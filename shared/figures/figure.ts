/** The part of Plotly's figure format that our figures use. Data in, `{data, layout}` out: window, image export and report draw the same. */

export interface Line {
  color?: string;
  width?: number;
  dash?: 'solid' | 'dot' | 'dash';
  shape?: 'linear' | 'hv';
}

export interface ErrorBar {
  type: 'data';
  symmetric: false;
  array: number[];
  arrayminus: number[];
  color: string;
  thickness: number;
  width: number;
}

export interface Trace {
  type: 'scatter' | 'bar';
  name: string;
  x: (number | string)[] | Float64Array;
  /** Null and NaN are gaps. */
  y: (number | null)[] | Float64Array;
  mode?: 'lines' | 'markers' | 'lines+markers' | 'text' | 'markers+text';
  text?: string[];
  textposition?: string | string[];
  textfont?: { color?: string; size?: number };
  customdata?: string[];
  hovertemplate?: string;
  /** `none`: no tooltip, for a reader that shows the values elsewhere; `skip`: not even found by the pointer. */
  hoverinfo?: 'skip' | 'none';
  opacity?: number;
  line?: Line;
  marker?: { color?: string; size?: number; symbol?: string; line?: { color?: string; width?: number } };
  error_x?: ErrorBar;
  error_y?: ErrorBar;
  offsetgroup?: string;
  legendgroup?: string;
  width?: number;
  /** Colours the area down to the trace before it. */
  fill?: 'tonexty';
  fillcolor?: string;
  connectgaps?: boolean;
  cliponaxis?: boolean;
  showlegend?: boolean;
}

export interface Axis {
  title?: { text: string; font?: { size?: number; color?: string }; standoff?: number };
  type?: 'linear' | 'log' | 'category';
  range?: [number, number];
  rangemode?: 'tozero' | 'nonnegative';
  /** Values that the axis reaches to by itself, whatever the data. */
  autorangeoptions?: { include: number };
  exponentformat?: 'e';
  tickvals?: number[];
  ticktext?: string[];
  tickfont?: { size?: number; color?: string };
  nticks?: number;
  showgrid?: boolean;
  gridcolor?: string;
  linecolor?: string;
  showline?: boolean;
  zeroline?: boolean;
  automargin?: boolean;
  showspikes?: boolean;
  spikemode?: 'across';
  spikesnap?: 'cursor' | 'data';
  spikecolor?: string;
  spikethickness?: number;
  spikedash?: 'solid' | 'dot';
  fixedrange?: boolean;
}

export interface Annotation {
  text: string;
  x: number;
  y: number;
  xref?: 'x' | 'paper';
  yref?: 'y' | 'paper';
  xanchor?: 'left' | 'center' | 'right';
  yanchor?: 'top' | 'middle' | 'bottom';
  showarrow: boolean;
  ax?: number;
  ay?: number;
  axref?: 'x' | 'pixel';
  ayref?: 'y' | 'pixel';
  arrowhead?: number;
  arrowwidth?: number;
  arrowcolor?: string;
  textangle?: number;
  standoff?: number;
  startstandoff?: number;
  xshift?: number;
  yshift?: number;
  font?: { size?: number; color?: string };
}

export interface Shape {
  type: 'line';
  x0: number;
  x1: number;
  y0: number;
  y1: number;
  xref?: 'x' | 'paper';
  yref?: 'y' | 'paper';
  layer?: 'below' | 'above';
  line: Line;
}

export interface Layout {
  title?: {
    text: string;
    subtitle?: { text: string; font?: { size?: number; color?: string } };
    font?: { size?: number; color?: string; weight?: number };
    x?: number;
    xref?: 'paper' | 'container';
    xanchor?: 'left';
    y?: number;
    yref?: 'container';
    yanchor?: 'top';
    pad?: { t?: number; l?: number };
  };
  font?: { family?: string; size?: number; color?: string };
  paper_bgcolor?: string;
  plot_bgcolor?: string;
  margin?: { l: number; r: number; t: number; b: number };
  height?: number;
  xaxis?: Axis;
  yaxis?: Axis;
  barmode?: 'group';
  bargap?: number;
  bargroupgap?: number;
  showlegend?: boolean;
  legend?: {
    orientation?: 'h';
    x?: number;
    y?: number;
    xanchor?: 'left' | 'right';
    yanchor?: 'bottom' | 'top';
    font?: { size?: number; color?: string };
  };
  hovermode?: 'x unified' | 'x' | 'closest' | false;
  hoverlabel?: { bgcolor?: string; bordercolor?: string; font?: { color?: string; size?: number } };
  annotations?: Annotation[];
  shapes?: Shape[];
  uirevision?: string;
}

export interface Figure {
  /** Names the figure on its page; letters, digits and hyphens. */
  id: string;
  data: Trace[];
  layout: Layout;
  /** What a reader who cannot see it should know. */
  alt: string;
}

/** Plotly reads a few HTML tags in text: names from outside are made plain. */
export const plainText = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** Error bars that reach from each value to its interval's ends. */
export function errorBars(values: readonly number[], intervals: readonly (readonly [number, number])[], color: string): ErrorBar {
  return {
    type: 'data',
    symmetric: false,
    array: values.map((value, i) => Math.max(0, (intervals[i]?.[1] ?? value) - value)),
    arrayminus: values.map((value, i) => Math.max(0, value - (intervals[i]?.[0] ?? value))),
    color,
    thickness: 1.5,
    width: 4,
  };
}
