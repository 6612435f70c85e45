/** Every metric of a run as a curve; the values at the pointer, and the answers of the pinned step, in a panel beside them. */
import { SegmentedControl, Slider, Switch } from '@mantine/core';
import { useCallback, useDeferredValue, useMemo, useRef, useState } from 'react';
import { isSecondary, rankOfMetric } from '../../../../shared/figures/learning-curves.ts';
import { type Curve, MetricAxis } from '../../../../shared/metric-series.ts';
import { useParameter } from '../../../app/address.ts';
import { PaneHandle } from '../../../app/pane-handle.tsx';
import { useShortcuts } from '../../../app/shortcuts.tsx';
import { Empty, Failed, Loading } from '../../../app/states.tsx';
import { useQuery } from '../../../rpc/use-query.ts';
import { MetricCard } from './metric-card.tsx';
import { PointPanel, stepAt } from './point-panel.tsx';
import type { LiveTabProps } from './tab-props.ts';
import { Tail } from './tail.tsx';
import { useCurves } from './use-curves.ts';

const AXES = [
  { value: 'step', label: 'Step' },
  { value: 'epoch', label: 'Epoch' },
  { value: 'tokens', label: 'Tokens' },
  { value: 'time', label: 'Time' },
];
const DEFAULT_SMOOTHING = 0.6;

const isFlatZero = ({ value }: Curve): boolean => !Array.prototype.some.call(value, (one: number) => one !== 0);

const numberIn = (text: string | null): number | null =>
  text === null || text === '' || !Number.isFinite(Number(text)) ? null : Number(text);

/** What matters first; what says the same as another curve, or nothing, below a fold. */
function arranged(series: ReadonlyMap<string, Curve>): { main: Curve[]; rest: Curve[] } {
  const all = [...series.values()].sort((a, b) => rankOfMetric(a.name) - rankOfMetric(b.name) || a.name.localeCompare(b.name));
  const aside = (one: Curve): boolean => isSecondary(one.name) || isFlatZero(one);
  return { main: all.filter((one) => !aside(one)), rest: all.filter(aside) };
}

export function ChartsTab({ run, kind, live }: LiveTabProps) {
  const [axisText, setAxis] = useParameter('x');
  const [smoothText, setSmoothing] = useParameter('ema');
  const [logText, setLog] = useParameter('log');
  const [pinText, setPin] = useParameter('pin');
  const x = MetricAxis.safeParse(axisText).data ?? 'step';
  const smoothing = Math.min(0.99, Math.max(0, numberIn(smoothText) ?? DEFAULT_SMOOTHING));
  const log = logText === '1';
  const pin = numberIn(pinText);
  const { query, curves, tailKey, offset, take } = useCurves(run, x, useDeferredValue(smoothing));
  const record = useQuery('runs.record', { run });
  const [hovered, setHovered] = useState<number | null>(null);
  const { main, rest } = useMemo(() => arranged(curves?.series ?? new Map()), [curves]);
  const latest = useRef(curves);
  latest.current = curves;
  const pinAt = useCallback(
    (name: string, at: number) => {
      const step = stepAt(latest.current?.series.get(name), at);
      if (step !== null) setPin(String(step));
    },
    [setPin],
  );
  const config = record.data?.config;
  const lossType = config?.kind === 'train' ? config.loss_type : null;
  useShortcuts('Charts', [
    { key: 'l', does: 'logarithmic values on or off', run: () => setLog(log ? null : '1') },
    { key: 'Escape', does: 'take the pin away', run: () => setPin(null) },
  ]);

  if (curves === null)
    return query.error === null ? (
      <Loading what="Reading the run's events" />
    ) : (
      <Failed what="The curves could not be read" error={query.error} retry={query.refresh} />
    );
  const cards = (list: readonly Curve[]) =>
    list.map((series) => (
      <MetricCard
        key={series.name}
        run={run}
        series={series}
        x={x}
        smoothing={smoothing}
        log={log}
        marks={curves.marks}
        pin={pin}
        live={live}
        lossType={lossType}
        onHover={setHovered}
        onPin={pinAt}
      />
    ));
  return (
    <>
      {tailKey === null ? null : <Tail key={tailKey} name={tailKey} run={run} offset={offset} take={take} />}
      <div className="toolbar">
        <SegmentedControl
          aria-label="Horizontal axis"
          data={AXES}
          value={x}
          onChange={(value) => setAxis(value === 'step' ? null : value)}
        />
        <div className="live-smoothing">
          <span id="live-smoothing-label">Smoothing</span>
          <Slider
            aria-labelledby="live-smoothing-label"
            thumbLabel="Smoothing"
            w={120}
            min={0}
            max={0.99}
            step={0.01}
            label={null}
            value={smoothing}
            onChange={(value) => setSmoothing(value === DEFAULT_SMOOTHING ? null : String(value))}
          />
          <span className="mono">EMA {smoothing}</span>
        </div>
        <Switch label="Log values" checked={log} onChange={(event) => setLog(event.currentTarget.checked ? '1' : null)} />
        <span className="quiet toolbar-end small">Drag to zoom, double click to zoom out, click to pin a step</span>
      </div>
      {curves.malformed.count > 0 || curves.gaps > 0 ? (
        <p className="live-word state-unverifiable" role="note">
          {curves.malformed.count > 0
            ? `${curves.malformed.count} ${curves.malformed.count === 1 ? 'line' : 'lines'} of events.jsonl cannot be read and ${curves.malformed.count === 1 ? 'is' : 'are'} left out (${curves.malformed.first}). `
            : null}
          {curves.gaps > 0 ? `${curves.gaps} ${curves.gaps === 1 ? 'place' : 'places'} where lines are missing or doubled.` : null}
        </p>
      ) : null}
      {main.length + rest.length === 0 ? (
        <Empty title={live ? 'No step yet' : 'No curves'}>
          {live
            ? 'Curves appear with the first step. Before it, the model is loaded and, where the config asks for it, measured once.'
            : 'This run ended before its first step; its log says why.'}
        </Empty>
      ) : (
        <div className="panes">
          <div className="pane-subject">
            <div className="live-charts">{cards(main)}</div>
            {rest.length > 0 ? (
              <details className="live-rest">
                <summary>{rest.length} more: constant at 0, or close to what a curve above says</summary>
                <div className="live-charts">{cards(rest)}</div>
              </details>
            ) : null}
          </div>
          <PaneHandle pane="after" name="live-values" label="Width of the values" />
          <PointPanel run={run} kind={kind} series={[...main, ...rest]} x={x} hovered={hovered} pin={pin} onUnpin={() => setPin(null)} />
        </div>
      )}
    </>
  );
}
