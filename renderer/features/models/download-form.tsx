/** Fetches a model from the Hugging Face Hub: its name, how far it is, and a way to stop. */
import { Button, TextInput } from '@mantine/core';
import { Download as DownloadIcon } from 'lucide-react';
import { type FormEvent, useEffect, useRef, useState } from 'react';
import { figureText } from '../../../shared/figures/number-text.ts';
import { formatHubName, readHubName } from '../../../shared/hub-model.ts';
import { hrefOf } from '../../app/address.ts';
import { useQuery } from '../../rpc/use-query.ts';
import { type Download, secondsLeft, startDownload, stopDownload, useDownload } from './download.ts';

const mib = (bytes: number): string => figureText(bytes / 2 ** 20);

const durationText = (seconds: number): string =>
  seconds < 90
    ? `${Math.max(1, Math.round(seconds))} s`
    : seconds < 5400
      ? `${Math.round(seconds / 60)} min`
      : `${figureText(seconds / 3600)} h`;

function Running({ download }: { download: Download }) {
  const { name, progress, waiting } = download;
  const left = secondsLeft(download, performance.now());
  return (
    <div className="models-download">
      <p className="small" role="status">
        {progress === null
          ? `Asking the hub for ${name} …`
          : `${name}: ${mib(progress.bytes_done)} of ${mib(progress.bytes)} MiB${left === null ? '' : `, ${durationText(left)} left`}`}
      </p>
      <progress max={progress?.bytes || 1} value={progress?.bytes_done ?? 0} aria-label={`Download of ${name}`} />
      <p className="quiet small verbatim">{waiting ?? progress?.file ?? ''}</p>
      <Button size="xs" variant="default" onClick={stopDownload}>
        Stop
      </Button>
    </div>
  );
}

/** `onDone` gets the name under which the model is then listed, if the form is still shown. */
export function DownloadForm({ onDone }: { onDone: (name: string) => void }) {
  const download = useDownload();
  const hub = useQuery('settings.hub', {}).data;
  const [name, setName] = useState(download.state === 'stopped' || download.state === 'failed' ? download.name : '');
  const { state, done } = download;
  const running = useRef(false);
  useEffect(() => {
    if (running.current && state === 'done' && done !== null) onDone(formatHubName(done));
    running.current = state === 'running';
  }, [state, done, onDone]);
  if (state === 'running') return <Running download={download} />;
  const typed = name.trim();
  const wrong = typed !== '' && readHubName(typed) === null;
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (typed !== '' && !wrong) startDownload(typed);
  };
  return (
    <form className="models-download" onSubmit={submit}>
      <TextInput
        aria-label="Model on the Hugging Face Hub"
        placeholder="organisation/name"
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
        error={wrong ? 'organisation/name, or organisation/name@revision' : undefined}
        rightSectionWidth={100}
        rightSection={
          <Button
            type="submit"
            size="compact-xs"
            variant="default"
            disabled={typed === '' || wrong}
            leftSection={<DownloadIcon size={12} aria-hidden="true" />}
          >
            Download
          </Button>
        }
      />
      {hub?.offline.value ? (
        <p className="small state-unverifiable">
          ⚠ Offline mode is on: nothing is fetched. <a href={hrefOf(['settings', 'hub'])}>Hugging Face settings</a>
        </p>
      ) : null}
      {hub !== null && hub.endpoint.decided_by !== 'default' ? (
        <p className="quiet small verbatim">
          From <a href={hrefOf(['settings', 'hub'])}>{hub.endpoint.value}</a>
        </p>
      ) : null}
      {state === 'stopped' ? <p className="quiet small">Stopped. Another download of it goes on where this one was.</p> : null}
      {state === 'failed' ? (
        <p className="state-failed small verbatim" role="alert">
          ✕ {download.error?.message}{' '}
          {/token/.test(download.error?.message ?? '') ? <a href={hrefOf(['settings', 'hub'])}>Hugging Face settings</a> : null}
        </p>
      ) : null}
      {state === 'done' ? (
        <p className="quiet small" role="status">
          {download.name} is here.
        </p>
      ) : null}
    </form>
  );
}
