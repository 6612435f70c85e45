/** What the run takes of its machine: GPUs and parts of a step as kept with the run, memory and processor while it runs here. */
import { useMemo, useState } from 'react';
import { usageCurve } from '../../../../shared/figures/usage-curve.ts';
import type { RunUsage, UsageSample } from '../../../../shared/run-live.ts';
import { Empty, Failed, Loading } from '../../../app/states.tsx';
import { Plot } from '../../../plot/plot.tsx';
import { useFigureTheme } from '../../../plot/use-figure-theme.ts';
import { useTopic } from '../../../rpc/use-topic.ts';
import { Gpus } from './gpus.tsx';
import { StepTimes } from './step-times.tsx';
import type { LiveTabProps } from './tab-props.ts';

/** Samples kept: ten minutes. */
const MOST = 300;

function joined(before: RunUsage | null, next: RunUsage): RunUsage {
  if (!next.seen || before === null || !before.seen) return next;
  const byTime = new Map<number, UsageSample>([...before.samples, ...next.samples].map((sample) => [sample.time, sample]));
  return { ...next, samples: [...byTime.values()].sort((a, b) => a.time - b.time).slice(-MOST) };
}

function Usage({ usage }: { usage: Extract<RunUsage, { seen: true }> }) {
  const theme = useFigureTheme();
  const memory = useMemo(() => usageCurve(theme, 'memory', usage.samples, usage.machine), [theme, usage]);
  const cores = useMemo(() => usageCurve(theme, 'cores', usage.samples, usage.machine), [theme, usage]);
  return (
    <div className="live-charts">
      <section className="card live-card" aria-label="Memory">
        <Plot figure={memory} label="Memory of the run" />
      </section>
      <section className="card live-card" aria-label="Processor">
        <Plot figure={cores} label="Processor time of the run" />
      </section>
    </div>
  );
}

function Process({ run, live }: LiveTabProps) {
  const [usage, setUsage] = useState<RunUsage | null>(null);
  const { error } = useTopic(
    'runs.usage',
    `${run}/${live}`,
    () => ({ run }),
    (item) => setUsage((before) => joined(before, item)),
  );
  if (error !== null && error.code !== 'lost') return <Failed what="Usage could not be read" error={error} />;
  if (usage === null) return <Loading what="Looking at the process" />;
  if (!usage.seen)
    return <Empty title="Nothing to measure now">{usage.why} Time a step took is kept with the run: see “step_time” in Charts.</Empty>;
  return (
    <>
      <p className="live-word quiet">Sampled every two seconds while this is open, ten minutes at most; not kept with the run.</p>
      <Usage usage={usage} />
    </>
  );
}

export default function SystemTab(props: LiveTabProps) {
  return (
    <div className="live-system">
      <Gpus run={props.run} live={props.live} />
      <StepTimes run={props.run} live={props.live} />
      <Process {...props} />
    </div>
  );
}
