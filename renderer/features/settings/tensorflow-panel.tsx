/** TensorFlow put in and taken away: what it costs, how far it is, and a way to stop. */
import { Button, Checkbox, Group, Modal } from '@mantine/core';
import { useEffect, useState } from 'react';
import type { TensorflowState } from '../../../shared/tensorflow-install.ts';
import { byteText } from '../../app/byte-text.ts';
import { call, messageOf } from '../../rpc/client.ts';
import { useQuery } from '../../rpc/use-query.ts';
import { type InstallProgress, useInstall } from './use-install.ts';

function Running({ install, stop }: { install: InstallProgress; stop: () => void }) {
  const { steps, progress } = install;
  return (
    <div className="settings-install">
      <ol className="settings-steps">
        {steps.map((text, i) => (
          <li key={`${i} ${text}`} className={i === steps.length - 1 ? undefined : 'quiet'}>
            {text}
            {i === steps.length - 1 ? ' …' : ' ✓'}
          </li>
        ))}
      </ol>
      {progress === null ? null : (
        <p className="small" role="status">
          <progress
            {...(progress.total === null ? {} : { max: progress.total, value: Math.min(progress.bytes, progress.total) })}
            aria-label={progress.what}
          />{' '}
          {progress.what}: {byteText(progress.bytes)}
          {progress.total === null ? '' : ` of ${byteText(progress.total)}`}
        </p>
      )}
      <Button size="xs" variant="default" onClick={stop}>
        Stop the install
      </Button>
    </div>
  );
}

function Uninstall({ state, removed }: { state: TensorflowState; removed: (said: string) => void }) {
  const [asking, setAsking] = useState(false);
  const [failed, setFailed] = useState<string | null>(null);
  const remove = async (): Promise<void> => {
    setAsking(false);
    setFailed(null);
    try {
      const { bytes, chosen } = await call('settings.uninstall_tensorflow', {});
      removed(`TensorFlow is gone, ${byteText(bytes)} freed. New runs take ${chosen}.`);
    } catch (thrown) {
      setFailed(messageOf(thrown));
    }
  };
  const what = state.installed === null ? 'Remove what was fetched' : 'Uninstall';
  return (
    <>
      <Button size="xs" variant="default" onClick={() => setAsking(true)}>
        {what} …
      </Button>
      {failed === null ? null : (
        <p className="state-failed small verbatim" role="alert">
          ✕ {failed}
        </p>
      )}
      <Modal opened={asking} onClose={() => setAsking(false)} title={`${what}?`}>
        <p>
          Deletes {byteText(state.bytes)} below <span className="mono verbatim">{state.home}</span>. Runs that name the backend tensorflow
          cannot go on until it is installed again; nothing of theirs is lost.
        </p>
        <Group justify="flex-end" mt="md">
          <Button variant="default" onClick={() => setAsking(false)}>
            Keep it
          </Button>
          <Button color="red" onClick={() => void remove()}>
            Delete {byteText(state.bytes)}
          </Button>
        </Group>
      </Modal>
    </>
  );
}

export function TensorflowPanel({ changed }: { changed: () => void }) {
  const { data: state, error, refresh } = useQuery('settings.tensorflow', {});
  const [cuda, setCuda] = useState(false);
  const [said, setSaid] = useState<string | null>(null);
  const ended = (): void => {
    refresh();
    changed();
  };
  const install = useInstall(ended);
  const { phase, start } = install;
  const going = state?.installing ?? null;
  // One that was begun before, or in another window.
  useEffect(() => {
    if (going !== null && phase === 'idle') start(going);
  }, [going, phase, start]);
  if (state === null) return error === null ? null : <p className="state-failed small settings-wide">✕ {error.message}</p>;
  const stop = async (): Promise<void> => {
    install.stopped();
    try {
      await call('settings.stop_install', {});
    } catch (thrown) {
      setSaid(messageOf(thrown));
    }
  };
  const { installed } = state;
  return (
    <div className="settings-wide">
      {installed === null ? null : (
        <p className="small">
          Installed: TensorFlow {installed.tensorflow} for {installed.kind === 'cuda' ? 'NVIDIA GPUs' : 'the processor'},{' '}
          {byteText(installed.bytes)} in <span className="mono verbatim">{state.home}</span>
        </p>
      )}
      {phase === 'running' ? (
        <Running install={install} stop={() => void stop()} />
      ) : (
        <div className="settings-install">
          {phase === 'failed' ? (
            <p className="state-failed small verbatim" role="alert">
              ✕ {install.error?.message}
            </p>
          ) : null}
          {phase === 'stopped' ? (
            <p className="quiet small" role="status">
              Stopped. What was fetched stays; another install goes on from there.
            </p>
          ) : null}
          {phase === 'done' ? (
            <p className="state-done small" role="status">
              ✓ TensorFlow {install.done?.tensorflow} is installed.
            </p>
          ) : null}
          {said === null ? null : (
            <p className="quiet small" role="status">
              {said}
            </p>
          )}
          {installed === null ? (
            <Checkbox
              size="xs"
              label="With CUDA, for an NVIDIA GPU (Linux on x64): several GB instead of about 270 MB"
              checked={cuda}
              onChange={(event) => setCuda(event.currentTarget.checked)}
            />
          ) : null}
          <div className="settings-buttons">
            {installed === null ? (
              <Button
                size="xs"
                onClick={() => {
                  setSaid(null);
                  start(cuda ? 'cuda' : 'cpu');
                }}
              >
                {state.bytes > 0 ? 'Go on with the install' : 'Install TensorFlow'}
              </Button>
            ) : null}
            {state.bytes > 0 ? (
              <Uninstall
                state={state}
                removed={(text) => {
                  setSaid(text);
                  ended();
                }}
              />
            ) : null}
          </div>
          {installed === null ? (
            <p className="quiet small">
              Fetches the library from PyPI and compiles its addon here, so it needs Python 3 with pip and a C++ compiler. Everything goes
              to your own folder; the program itself is not written to.
            </p>
          ) : null}
        </div>
      )}
    </div>
  );
}
