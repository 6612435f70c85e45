/** Pause, resume, checkpoint, stop: each says what it means, and why it cannot be had now. */
import { Button, Group, Modal, Text, Tooltip } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { CirclePause, CirclePlay, Save, Square } from 'lucide-react';
import { type ReactNode, useState } from 'react';
import type { RunRisk } from '../../../../shared/run-live.ts';
import type { ControlLine } from '../../../../shared/run-record.ts';
import type { RunSummary } from '../../../../shared/run-view.ts';
import { secondsInWords } from '../../../../shared/run-words.ts';
import { call } from '../../../rpc/client.ts';
import { lossInWords } from './loss-words.ts';

interface ControlsProps {
  run: string;
  summary: RunSummary;
  risk: RunRisk | null;
  onAsked: () => void;
}

interface Action {
  label: string;
  icon: ReactNode;
  /** What it does. */
  does: string;
  /** Why it cannot be had; null where it can. */
  why: string | null;
  act: () => void;
}

function ActionButton({ label, icon, does, why, act }: Action) {
  return (
    <Tooltip label={why ?? does}>
      <Button
        variant="default"
        leftSection={icon}
        aria-disabled={why !== null}
        data-disabled={why !== null || undefined}
        onClick={why === null ? act : (event) => event.preventDefault()}
      >
        {label}
      </Button>
    </Tooltip>
  );
}

function StopDialog({
  opened,
  onClose,
  onStop,
  risk,
  summary,
}: {
  opened: boolean;
  onClose: () => void;
  onStop: () => void;
  risk: RunRisk | null;
  summary: RunSummary;
}) {
  return (
    <Modal opened={opened} onClose={onClose} title={`Stop ${summary.name ?? summary.id}?`}>
      <Text size="sm">
        {summary.kind === 'evaluate'
          ? 'The evaluation ends after the answer it is writing. Answers given so far are kept; Resume asks only what is left.'
          : 'The run writes a checkpoint of its last whole step and ends. The step it is in is lost; Resume goes on from the checkpoint.'}
      </Text>
      {summary.kind === 'evaluate' ? null : (
        <Text size="sm" mt="sm" className="quiet">
          {lossInWords(risk)}
        </Text>
      )}
      <Group justify="flex-end" mt="lg">
        <Button variant="default" onClick={onClose} data-autofocus>
          Keep running
        </Button>
        <Button
          color="red"
          onClick={() => {
            onClose();
            onStop();
          }}
        >
          Stop run
        </Button>
      </Group>
    </Modal>
  );
}

export function LiveControls({ run, summary, risk, onAsked }: ControlsProps) {
  const [stopping, setStopping] = useState(false);
  const [busy, setBusy] = useState(false);
  const { state } = summary.state;
  const act = (what: string, ask: () => Promise<unknown>): void => {
    if (busy) return;
    setBusy(true);
    ask()
      .catch((error: unknown) =>
        notifications.show({
          color: 'red',
          title: `${what} was not possible`,
          message: error instanceof Error ? error.message : String(error),
        }),
      )
      .finally(() => {
        setBusy(false);
        onAsked();
      });
  };
  const ask = (verb: ControlLine['verb'], what: string) => () => act(what, () => call('runs.control', { run, verb }));
  const wait = busy ? 'The last request is being passed on.' : null;
  const ended = state === 'exited' ? 'It has ended.' : null;
  const untrained =
    summary.kind === 'evaluate'
      ? 'An evaluation keeps every answer as it comes: it can be stopped and resumed, and has no steps to pause at.'
      : null;
  const stopAsked = state === 'live' && risk?.asked?.verb === 'stop' ? 'It has been asked to stop.' : null;
  if (state === 'exited') {
    const why =
      risk === null ? 'Its state is being read.' : risk.resumable ? null : 'It did everything it was to do; start a new run to go further.';
    return (
      <ActionButton
        label="Resume"
        icon={<CirclePlay size={14} aria-hidden="true" />}
        does={`Starts its process again from ${risk?.checkpoint_step ? `the checkpoint of step ${risk.checkpoint_step}` : 'the beginning'}.`}
        why={wait ?? why}
        act={() => act('Resuming', () => call('runs.resume', { run }))}
      />
    );
  }
  return (
    <>
      {risk?.paused ? (
        <ActionButton
          label="Resume"
          icon={<CirclePlay size={14} aria-hidden="true" />}
          does="Goes on where it stands."
          why={wait ?? ended ?? untrained}
          act={ask('resume', 'Resuming')}
        />
      ) : (
        <ActionButton
          label="Pause"
          icon={<CirclePause size={14} aria-hidden="true" />}
          does="Rests after this step, with a checkpoint; keeps its memory until resumed."
          why={wait ?? ended ?? untrained ?? stopAsked}
          act={ask('pause', 'Pausing')}
        />
      )}
      <ActionButton
        label="Checkpoint"
        icon={<Save size={14} aria-hidden="true" />}
        does={`Writes a checkpoint after this step. ${risk?.seconds_since ? `The last one is ${secondsInWords(risk.seconds_since)} of training ago.` : ''}`}
        why={wait ?? ended ?? untrained ?? stopAsked}
        act={ask('checkpoint', 'Writing a checkpoint')}
      />
      <ActionButton
        label="Stop"
        icon={<Square size={14} aria-hidden="true" />}
        does="Ends the run; asks first."
        why={wait ?? ended ?? stopAsked}
        act={() => setStopping(true)}
      />
      <StopDialog opened={stopping} onClose={() => setStopping(false)} onStop={ask('stop', 'Stopping')} risk={risk} summary={summary} />
    </>
  );
}
