/** Takes our folder off a machine, or the machine off the list; what would be lost is said in figures before. */
import { Button, Group, Modal } from '@mantine/core';
import { useState } from 'react';
import type { MachineCleaned } from '../../../shared/machine-setup.ts';
import { open } from '../../app/address.ts';
import { byteText } from '../../app/byte-text.ts';
import { call, messageOf } from '../../rpc/client.ts';

export function CleanMachine({ machine, cleaned }: { machine: string; cleaned: () => void }) {
  const [asked, setAsked] = useState<MachineCleaned | null>(null);
  const [busy, setBusy] = useState(false);
  const [said, setSaid] = useState<{ text: string; bad: boolean } | null>(null);
  const attempt = async (action: () => Promise<void>): Promise<void> => {
    setBusy(true);
    setSaid(null);
    try {
      await action();
    } catch (thrown) {
      setSaid({ text: messageOf(thrown), bad: true });
    }
    setBusy(false);
  };
  const look = () =>
    attempt(async () => {
      const found = await call('machines.clean', { machine, yes: false });
      if (found.there) setAsked(found);
      else setSaid({ text: `There is nothing of ours at ${found.root}.`, bad: false });
    });
  const clean = () =>
    attempt(async () => {
      const done = await call('machines.clean', { machine, yes: true, force: (asked?.live.length ?? 0) > 0 });
      setAsked(null);
      setSaid({ text: `${byteText(done.bytes)} removed.`, bad: false });
      cleaned();
    });
  const remove = () =>
    attempt(async () => {
      await call('machines.remove', { machine });
      open(['machines']);
    });
  return (
    <section className="machines-panel">
      <div className="machines-buttons">
        <Button variant="default" loading={busy} onClick={() => void look()}>
          Clean …
        </Button>
        <Button variant="default" loading={busy} onClick={() => void remove()}>
          Take off this list
        </Button>
      </div>
      <p className="quiet small">
        “Clean” removes our folder there: environment, runner and runs. Taking it off this list changes nothing there; runs followed here
        stay.
      </p>
      {said === null ? null : <p className={said.bad ? 'state-failed verbatim' : 'quiet'}>{said.text}</p>}
      <Modal opened={asked !== null} onClose={() => setAsked(null)} title={`Clean ${machine}?`}>
        {asked === null ? null : (
          <>
            <p>
              Removes <span className="mono">{asked.root}</span> with {byteText(asked.bytes)}, for good.
            </p>
            {asked.runs.length === 0 ? (
              <p className="quiet">No runs are in it.</p>
            ) : (
              <p className="state-failed">
                {asked.runs.length} {asked.runs.length === 1 ? 'run is' : 'runs are'} lost there with checkpoints
                {asked.live.length === 0 ? '' : `, ${asked.live.length} of them still running: ${asked.live.join(', ')}`}.
              </p>
            )}
            <Group justify="flex-end" mt="md">
              <Button variant="default" onClick={() => setAsked(null)}>
                Keep it
              </Button>
              <Button color="red" loading={busy} onClick={() => void clean()}>
                Remove {byteText(asked.bytes)} there
              </Button>
            </Group>
          </>
        )}
      </Modal>
    </section>
  );
}
