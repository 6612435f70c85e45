/** One metric: its curve, what it means, and the answer to what readers ask about it. */
import { ActionIcon, Popover, Text, Tooltip, UnstyledButton } from '@mantine/core';
import { CircleQuestionMark } from 'lucide-react';
import { memo, useCallback, useMemo, useRef, useState } from 'react';
import type { TrainConfig } from '../../../../shared/config.ts';
import { metricCurve } from '../../../../shared/figures/metric-curve.ts';
import { metricQuestion } from '../../../../shared/metric-questions.ts';
import type { Curve, MetricAxis } from '../../../../shared/metric-series.ts';
import { metricInfo } from '../../../../shared/metrics.ts';
import type { RunMark } from '../../../../shared/run-live.ts';
import { Plot } from '../../../plot/plot.tsx';
import { useFigureTheme } from '../../../plot/use-figure-theme.ts';
import { useInSight } from '../../../plot/use-in-sight.ts';
import { useQuery } from '../../../rpc/use-query.ts';
import { withFiner, xOfStep } from './series-reading.ts';
import { BUCKETS } from './use-curves.ts';

interface MetricCardProps {
  run: string;
  series: Curve;
  x: MetricAxis;
  smoothing: number;
  log: boolean;
  marks: readonly RunMark[];
  pin: number | null;
  /** Points may come. */
  live: boolean;
  lossType: TrainConfig['loss_type'] | null;
  onHover: (x: number | null) => void;
  onPin: (name: string, x: number) => void;
}

/** On its own, as what people ask is: neither changes while points come. */
const CardHelp = memo(function CardHelp({ name }: { name: string }) {
  return (
    <Tooltip label={metricInfo(name)?.meaning ?? 'This metric is not described; the run wrote it under this name.'}>
      <ActionIcon className="live-card-help" aria-label={`What ${name} is`}>
        <CircleQuestionMark size={14} aria-hidden="true" />
      </ActionIcon>
    </Tooltip>
  );
});

const CardQuestion = memo(function CardQuestion({ name, lossType }: Pick<MetricCardProps, 'lossType'> & { name: string }) {
  const question = metricQuestion(name, lossType);
  if (question === null) return null;
  return (
    <Popover width={320} position="bottom-start" shadow="md">
      <Popover.Target>
        <UnstyledButton className="live-card-ask small">{question.asks}</UnstyledButton>
      </Popover.Target>
      <Popover.Dropdown>
        <Text size="sm">{question.answer}</Text>
      </Popover.Dropdown>
    </Popover>
  );
});

export const MetricCard = memo(function MetricCard(props: MetricCardProps) {
  const { run, x, smoothing, log, marks, pin, live, lossType, onHover, onPin } = props;
  const { name } = props.series;
  const theme = useFigureTheme();
  const card = useRef<HTMLElement>(null);
  const seen = useInSight(card);
  // What cannot be seen stays as it was: a run has many more metrics than fit a window.
  const last = useRef(props.series);
  if (seen) last.current = props.series;
  const series = last.current;
  const [range, setRange] = useState<[number, number] | null>(null);
  // Only where points were left out is there anything finer to be had.
  const coarse = series.count > series.value.length;
  const finer = useQuery(
    'runs.metrics',
    { run, x, smoothing, buckets: BUCKETS, names: [name], ...(range === null ? {} : { range }) },
    { enabled: coarse && range !== null },
  );
  const inside = range !== null && !finer.stale ? finer.data?.series[0] : undefined;
  const shown = useMemo(
    () => (range === null || inside === undefined ? series : withFiner(series, inside, range)),
    [series, inside, range],
  );
  const pinned = pin === null || x === 'step' ? pin : xOfStep(shown, pin);
  const figure = useMemo(
    () => metricCurve(theme, shown, { x, smoothing, log, marks, pinned, growing: live, height: 220 }),
    [theme, shown, x, smoothing, log, marks, pinned, live],
  );
  const hover = useCallback((at: { x: number | string } | null) => onHover(at === null ? null : Number(at.x)), [onHover]);
  const click = useCallback((at: { x: number | string }) => onPin(name, Number(at.x)), [onPin, name]);
  return (
    <section className="card live-card" aria-label={name} ref={card}>
      <CardHelp name={name} />
      <Plot
        figure={figure}
        label={`${metricInfo(name)?.question ?? name} (${name})`}
        uirevision={`${x}/${log}`}
        onHover={hover}
        onClick={click}
        onZoom={setRange}
      />
      <CardQuestion name={name} lossType={lossType} />
    </section>
  );
});
