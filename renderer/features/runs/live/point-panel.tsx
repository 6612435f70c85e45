/** All values at one x: under the pointer, at the pinned step, else the last. With the answers of the pinned step. */
import { Button } from '@mantine/core';
import { useDeferredValue } from 'react';
import { AXIS_TITLE } from '../../../../shared/figures/metric-curve.ts';
import { figureText } from '../../../../shared/figures/number-text.ts';
import type { Curve, MetricAxis } from '../../../../shared/metric-series.ts';
import { metricInfo } from '../../../../shared/metrics.ts';
import { hrefOf } from '../../../app/address.ts';
import { useQuery } from '../../../rpc/use-query.ts';
import { nearest } from './series-reading.ts';
import type { LiveTabProps } from './tab-props.ts';

/** The step of the point nearest to `x`. */
export function stepAt(series: Curve | undefined, x: number): number | null {
  const place = series === undefined ? null : nearest(series.x, x);
  return place === null ? null : (series?.step[place] ?? null);
}

interface PointPanelProps {
  run: string;
  kind: LiveTabProps['kind'];
  series: readonly Curve[];
  x: MetricAxis;
  /** Under the pointer. */
  hovered: number | null;
  pin: number | null;
  onUnpin: () => void;
}

function PinnedAnswers({ run, step }: { run: string; step: number }) {
  const { data } = useQuery('runs.groups', { run, filter: { phase: 'train', step }, limit: 50 });
  if (data === null) return null;
  if (data.matching === 0) return <p className="quiet small">No answers are kept of step {step}.</p>;
  return (
    <>
      <h3 className="live-panel-title">
        Answers of step {step}: {data.matching} {data.matching === 1 ? 'question' : 'questions'}
      </h3>
      <ul className="live-pinned">
        {data.groups.map((group) => (
          <li key={group.question}>
            <a href={hrefOf(['runs', run], { tab: 'completions', phase: group.phase, step: String(step), q: group.question })}>
              {group.question}
            </a>
            <span className="quiet">
              {group.correct} of {group.n} right, {figureText(group.mean_tokens)} tokens
            </span>
          </li>
        ))}
      </ul>
    </>
  );
}

export function PointPanel({ run, kind, series, x, hovered, pin, onUnpin }: PointPanelProps) {
  const at = useDeferredValue(hovered);
  const places = series.map((one) => {
    if (at !== null) return nearest(one.x, at);
    return pin !== null ? nearest(one.step, pin) : one.x.length - 1;
  });
  const lead = series[0];
  const place = places[0] ?? null;
  const step = lead === undefined || place === null ? null : (lead.step[place] ?? null);
  const where = at !== null ? 'Under the pointer' : pin !== null ? 'Pinned' : 'Last values';
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keys
    <aside className="pane-inspector live-points" aria-label="Values" tabIndex={0}>
      <div className="live-points-head">
        <h3 className="live-panel-title">
          {where}: {x !== 'step' && lead !== undefined && place !== null ? `${figureText(lead.x[place] ?? null)} ${AXIS_TITLE[x]}, ` : ''}
          step {step ?? '—'}
        </h3>
        {pin === null ? null : (
          <Button variant="default" size="compact-xs" onClick={onUnpin}>
            Unpin
          </Button>
        )}
      </div>
      <table className="live-values">
        <thead>
          <tr>
            <th scope="col">Metric</th>
            <th scope="col" className="number">
              Value
            </th>
            <th scope="col" className="number">
              Smoothed
            </th>
          </tr>
        </thead>
        <tbody>
          {series.map((one, i) => {
            const point = places[i];
            const has = point !== null && point !== undefined && point >= 0;
            return (
              <tr key={one.name} title={metricInfo(one.name)?.meaning}>
                <th scope="row">{one.name.split('/').map((part, at) => (at === 0 ? part : [<wbr key={part} />, `/${part}`]))}</th>
                <td className="number">{has ? figureText(one.value[point] ?? null) : '—'}</td>
                <td className="number quiet">{has && !one.name.startsWith('eval_') ? figureText(one.smooth[point] ?? null) : ''}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
      {pin === null || kind !== 'train' ? null : <PinnedAnswers run={run} step={pin} />}
    </aside>
  );
}
