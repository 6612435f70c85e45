/** Of a run on another machine: where it is, how old what is shown may be, and its weights on their way here. */
import { Button } from '@mantine/core';
import { useState } from 'react';
import type { FetchProgress, RemoteInfo } from '../../../../shared/remote-view.ts';
import { hrefOf } from '../../../app/address.ts';
import { byteText } from '../../../app/byte-text.ts';
import { call, messageOf } from '../../../rpc/client.ts';
import { useTopic } from '../../../rpc/use-topic.ts';

const clock = (time: string): string => new Date(time).toLocaleTimeString();

/** Whether what is shown is as new as it can be. */
const inSight = ({ connection, complete, trouble }: RemoteInfo): boolean =>
  complete || (trouble === null && (connection === null || connection.state === 'connected' || connection.state === 'idle'));

function sightText(info: RemoteInfo): string {
  const { connection, last_contact: last, machine } = info;
  const asOf = last === null ? 'nothing of it has been seen yet' : `what is shown is as of ${clock(last)}`;
  if (connection?.state === 'refused') return `${machine} does not let us in: ${connection.message}. The run goes on there; ${asOf}.`;
  if (connection?.state === 'waiting')
    return `${machine} cannot be seen; tried again at ${clock(connection.next_try)}. The run goes on there; ${asOf}.`;
  if (connection?.state === 'connecting') return `Connecting to ${machine} again; ${asOf}.`;
  return `${info.trouble ?? `${machine} is out of sight`}; ${asOf}.`;
}

function Fetching({ fetch }: { fetch: FetchProgress }) {
  if (fetch.ended === 'here') return null;
  if (fetch.ended !== null)
    return (
      <span className="state-failed verbatim">
        ✕ {fetch.part} did not come: {fetch.ended}
      </span>
    );
  return (
    <span role="status">
      {fetch.total === null ? null : <progress max={fetch.total} value={fetch.done} aria-label={`${fetch.part} on its way here`} />}{' '}
      {fetch.part}: {byteText(fetch.done)}
      {fetch.total === null ? '' : ` of ${byteText(fetch.total)}`}
    </span>
  );
}

export function RemoteBanner({ run, ended }: { run: string; ended: boolean }) {
  const [info, setInfo] = useState<RemoteInfo | null>(null);
  const [failure, setFailure] = useState<string | null>(null);
  useTopic('runs.remote_watch', run, () => ({ run }), setInfo);
  if (info === null) return null;
  const fetching = info.fetch !== null && info.fetch.ended === null;
  const bring = async (): Promise<void> => {
    setFailure(null);
    try {
      await call('runs.fetch', { run });
    } catch (thrown) {
      setFailure(messageOf(thrown));
    }
  };
  const waiting = info.sign?.waiting ?? null;
  return (
    <div className={`live-word live-remote ${inSight(info) ? 'quiet' : 'state-unverifiable'}`}>
      <span>
        On <a href={hrefOf(['machines', info.machine])}>{info.machine}</a>
        {waiting === null ? '' : `, ${waiting} in its queue`}
        {info.complete ? ', ended there and proved to be here whole' : ''}
        {inSight(info) ? '' : '. '}
        {inSight(info) ? null : (
          <span role="status">
            <span aria-hidden="true">⚠</span> {sightText(info)}
          </span>
        )}
        {info.gaps > 0 ? <span className="state-failed"> {info.gaps} gaps in what came</span> : null}
      </span>
      {info.fetch === null ? null : <Fetching fetch={info.fetch} />}
      {failure === null ? null : <span className="state-failed verbatim">✕ {failure}</span>}
      {ended && !fetching && !info.here.includes('model') ? (
        <Button size="compact-xs" variant="default" onClick={() => void bring()}>
          Bring its model here
        </Button>
      ) : null}
    </div>
  );
}
