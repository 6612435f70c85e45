/** The GPUs of the machine where the run is: small multiples, a row a figure, a column a GPU. */
import { useMemo, useState } from 'react';
import { GPU_FIGURES, type GpuFigure, gpuCurve, gpuFigureInfo } from '../../../../shared/figures/gpu-curves.ts';
import type { RunTelemetry } from '../../../../shared/run-live.ts';
import { Plot } from '../../../plot/plot.tsx';
import { useFigureTheme } from '../../../plot/use-figure-theme.ts';
import { useTopic } from '../../../rpc/use-topic.ts';
import './gpus.css';

/** Samples kept: an hour. */
const MOST = 720;

function joined(before: RunTelemetry | null, next: RunTelemetry): RunTelemetry {
  if (before === null || JSON.stringify(before.gpus) !== JSON.stringify(next.gpus)) return next;
  const last = before.samples.at(-1)?.seq ?? -1;
  return { ...next, samples: [...before.samples, ...next.samples.filter(({ seq }) => seq > last)].slice(-MOST) };
}

function Row({ what, telemetry }: { what: GpuFigure; telemetry: RunTelemetry }) {
  const theme = useFigureTheme();
  const { title, unit } = gpuFigureInfo(what);
  const figures = useMemo(
    () => (telemetry.gpus ?? []).map((_, place) => gpuCurve(theme, what, place, telemetry)),
    [theme, what, telemetry],
  );
  const told = telemetry.samples.some((sample) => sample[what].some((value) => value !== null));
  return (
    <section className="gpu-row" aria-label={title}>
      <h3>
        {title} <span className="quiet">{told ? `${unit} over minutes before the last sample` : 'these GPUs do not say'}</span>
      </h3>
      {told ? (
        <div className="gpu-multiples">
          {figures.map((figure) => (
            <div className="card gpu-card" key={figure.id}>
              <Plot figure={figure} label={figure.alt} menu={false} />
            </div>
          ))}
        </div>
      ) : null}
    </section>
  );
}

/** Nothing at all where nothing was sampled: the machine has no NVIDIA GPU. */
export function Gpus({ run, live }: { run: string; live: boolean }) {
  const [telemetry, setTelemetry] = useState<RunTelemetry | null>(null);
  const { error } = useTopic(
    'runs.telemetry',
    `${run}/${live}`,
    () => ({ run }),
    (item) => setTelemetry((before) => joined(before, item)),
  );
  if (error !== null && error.code !== 'lost')
    return <p className="live-word state-failed">Telemetry could not be read: {error.message}</p>;
  if (telemetry === null || (telemetry.gpus === null && telemetry.trouble === null)) return null;
  const names = new Set((telemetry.gpus ?? []).map(({ name }) => name));
  return (
    <>
      {telemetry.trouble === null ? null : (
        <p className="live-word state-unverifiable verbatim">⚠ The GPU driver does not answer: {telemetry.trouble}</p>
      )}
      <p className="live-word quiet">
        {telemetry.gpus?.length ?? 0} × {[...names].join(', ')}, sampled on the run’s machine into telemetry.jsonl; the last hour is shown.
      </p>
      {GPU_FIGURES.map((what) => (
        <Row key={what} what={what} telemetry={telemetry} />
      ))}
    </>
  );
}
