/** Curves of training runs over one another: one metric, grouped by a setting, with bands over seeds. */
import { Select, Switch } from '@mantine/core';
import { useMemo } from 'react';
import { comparedCurves } from '../../../shared/figures/compared-curves.ts';
import { MetricAxis } from '../../../shared/metric-series.ts';
import type { CompareResult, NamedDifference } from '../../../shared/rpc/compare.ts';
import { useParameter } from '../../app/address.ts';
import { Empty, Failed, Loading } from '../../app/states.tsx';
import { Plot } from '../../plot/plot.tsx';
import { useFigureTheme } from '../../plot/use-figure-theme.ts';
import { useQuery } from '../../rpc/use-query.ts';
import type { Choice } from './choice.ts';
import { useCurves } from './use-curves.ts';

const SMOOTHING = 0.6;
const AXES = [
  { value: 'step', label: 'over steps' },
  { value: 'epoch', label: 'over epochs' },
  { value: 'tokens', label: 'over tokens' },
  { value: 'time', label: 'over time' },
];
/** Every run for itself. */
const EACH = '(each run)';
/** Runs that differ in nothing but their seed together. */
const CONFIGURATION = '(configuration)';
const NOT_CONFIGURATION = new Set(['seed', 'name', 'git_revision']);

/** The group of each run, in the order of `names`. */
function groupsOf({ names, differing }: NamedDifference, key: string | null): string[] {
  if (key === null) return names;
  const chosen = differing.filter((one) => (key === CONFIGURATION ? !NOT_CONFIGURATION.has(one.key) : one.key === key));
  if (chosen.length === 0) return key === CONFIGURATION ? names.map(() => 'all seeds') : names;
  return names.map((_, i) => chosen.map((one) => `${one.key} ${one.values[i] ?? '—'}`).join(', '));
}

/** A figure for each of the metrics that matter first. */
const OVERVIEW = '(overview)';
/** Beyond so many runs raw values under the smoothed lines hide them. */
const MOST_RAW = 6;

export function Curves({ result, choice }: { result: CompareResult; choice: Choice }) {
  const theme = useFigureTheme();
  const [metric, setMetric] = useParameter('metric');
  const [axis, setAxis] = useParameter('x');
  const [key, setKey] = useParameter('group');
  const [bands, setBands] = useParameter('bands');
  const { training } = result;
  const x = MetricAxis.safeParse(axis).data ?? 'step';
  const runs = training.map(({ ref }) => ref);
  const buckets = training.length > MOST_RAW ? 120 : 250;
  const { data, busy, error } = useCurves({ runs, x, smoothing: SMOOTHING, buckets, ...(metric === null ? {} : { metrics: [metric] }) });
  const settings = useQuery('compare.settings', choice.input);
  const difference = settings.data?.training;
  const figures = useMemo(() => {
    if (data === null) return null;
    const groups = difference === undefined ? [] : groupsOf(difference, key);
    const all = data.curves.flatMap(({ ref, series }) => {
      const name = training.find((run) => run.ref === ref)?.name ?? ref;
      const group = groups[difference?.names.indexOf(name) ?? -1] ?? name;
      return series.map((one) => ({ name, group, series: one }));
    });
    return data.metrics.flatMap((one) => {
      const curves = all.filter(({ series }) => series.name === one);
      if (curves.length === 0) return [];
      const height = metric === null ? 300 : 460;
      return [
        comparedCurves(theme, curves, {
          metric: one,
          x,
          smoothing: SMOOTHING,
          bands: bands !== null,
          raw: curves.length <= MOST_RAW,
          height,
        }),
      ];
    });
  }, [data, difference, key, bands, metric, x, theme, training]);
  if (training.length === 0)
    return (
      <Empty title="No training run is among these">
        Here the curves of training runs lie over one another: choose training runs in the list, or evaluations of models that a run in this
        folder has trained.
      </Empty>
    );
  return (
    <>
      <div className="toolbar">
        <Select
          aria-label="Metric"
          searchable
          data={[{ value: OVERVIEW, label: 'Overview' }, ...(data?.metrics ?? []).map((name) => ({ value: name, label: name }))]}
          value={metric ?? OVERVIEW}
          allowDeselect={false}
          onChange={(value) => setMetric(value === OVERVIEW ? null : value)}
          className="compare-who"
        />
        <Select aria-label="Axis" data={AXES} value={x} allowDeselect={false} onChange={setAxis} />
        <Select
          aria-label="Colour by"
          searchable
          data={[
            { value: EACH, label: 'a colour a run' },
            { value: CONFIGURATION, label: 'seeds together' },
            ...(difference?.differing ?? []).map((one) => ({ value: one.key, label: `by ${one.key}` })),
          ]}
          value={key ?? EACH}
          allowDeselect={false}
          onChange={(value) => setKey(value === EACH ? null : value)}
        />
        <Switch
          size="xs"
          label="Mean and band of each colour"
          checked={bands !== null}
          onChange={(event) => setBands(event.currentTarget.checked ? '1' : null)}
        />
        {busy ? (
          <span className="quiet" role="status">
            {data?.curves.length ?? 0} of {runs.length} runs read …
          </span>
        ) : null}
      </div>
      {error === null ? null : <Failed what="The curves cannot be shown" error={error} />}
      {data?.unreadable.map(({ ref, message }) => (
        <Failed key={ref} what={`${ref} cannot be read; the others are not touched by it`} error={new Error(message)} />
      ))}
      {data === null && error === null ? <Loading what="Reading the events of every run" /> : null}
      {figures?.length === 0 ? (
        <p className="compare-hint quiet">
          None of these runs wrote {metric ?? 'a metric yet'}. {metric === null ? '' : 'Choose another metric above.'}
        </p>
      ) : null}
      <div className={`compare-figures compare-curves ${metric === null ? '' : 'compare-curves-one'}`}>
        {(figures ?? []).map((figure) => (
          <section key={figure.id} className="card compare-figure" aria-label={figure.layout.title?.text ?? figure.id}>
            <Plot figure={figure} label={`Training curves, ${figure.id.replace('compared-', '')}`} uirevision={`${figure.id} ${x}`} />
          </section>
        ))}
      </div>
    </>
  );
}
