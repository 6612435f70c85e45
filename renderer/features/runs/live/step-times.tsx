/** Where the time of a step goes: by part over the last steps, by rank in the last one. */
import { useMemo } from 'react';
import { rankTimeBars, stepTimeCurve } from '../../../../shared/figures/gpu-curves.ts';
import type { StepTimesView } from '../../../../shared/run-live.ts';
import { Plot } from '../../../plot/plot.tsx';
import { useFigureTheme } from '../../../plot/use-figure-theme.ts';
import { useQuery } from '../../../rpc/use-query.ts';

const EVERY_MS = 2000;
const NOTHING: StepTimesView = { steps: [] };

export function StepTimes({ run, live }: { run: string; live: boolean }) {
  const theme = useFigureTheme();
  const times = useQuery('runs.step_times', { run }, live ? { everyMs: EVERY_MS } : {});
  const view = times.data ?? NOTHING;
  const parts = useMemo(() => stepTimeCurve(theme, view), [theme, view]);
  const ranks = useMemo(() => rankTimeBars(theme, view), [theme, view]);
  if (parts === null) return null;
  return (
    <div className="live-charts">
      <section className="card live-card" aria-label="Parts of a step">
        <Plot figure={parts} label="Where the time of a step goes" />
      </section>
      {ranks === null ? null : (
        <section className="card live-card" aria-label="Ranks">
          <Plot figure={ranks} label="Time of each rank in the last step" />
        </section>
      )}
    </div>
  );
}
