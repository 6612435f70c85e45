/** The form that adds a machine reached over SSH, and the question whether its host key is the right one. */
import { Button, NumberInput, TextInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { MachineEntry, type NewMachine } from '../../../shared/machine-list.ts';
import { open } from '../../app/address.ts';
import { CallFailed, call } from '../../rpc/client.ts';

type Draft = { name: string; host: string; user: string; port: number | null; key: string; jump: string; root: string };
const EMPTY: Draft = { name: '', host: '', user: '', port: null, key: '', jump: '', root: '~/.medlogictrace' };

const orNull = (text: string): string | null => (text.trim() === '' ? null : text.trim());

/** What is asked for, as the list of machines keeps it; what is left empty is as `~/.ssh/config` says. */
function entryOf({ name, host, user, port, key, jump, root }: Draft): NewMachine {
  return {
    kind: 'ssh',
    name: name.trim(),
    host: host.trim(),
    user: orNull(user),
    port,
    key: orNull(key),
    jump:
      orNull(jump)
        ?.split(',')
        .map((hop) => hop.trim()) ?? null,
    root: root.trim(),
  };
}

const FIELDS: readonly { name: Exclude<keyof Draft, 'port'>; label: string; help: string; placeholder?: string }[] = [
  { name: 'name', label: 'Name', help: 'What this list and run commands call it.', placeholder: 'lab-gpu' },
  {
    name: 'host',
    label: 'Host',
    help: 'An address, or a name of ~/.ssh/config; what that file says of it is kept to.',
    placeholder: 'gpu.example.org',
  },
  { name: 'user', label: 'User', help: 'Empty: as ~/.ssh/config says, else your name here.' },
  {
    name: 'key',
    label: 'Key file',
    help: 'A private key on this computer. Empty: the agent’s keys and those of ~/.ssh/config.',
    placeholder: '~/.ssh/id_ed25519',
  },
  { name: 'jump', label: 'Through', help: 'Hosts to go through, in order, with commas between.', placeholder: 'user@gate.example.org:22' },
  { name: 'root', label: 'Folder there', help: 'Everything of ours stays in it, and “Clean” removes it whole.' },
];

export function AddMachine() {
  const [draft, setDraft] = useState(EMPTY);
  const [shown, setShown] = useState<Readonly<Record<string, string>>>({});
  const [failure, setFailure] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);

  const add = async (): Promise<void> => {
    const entry = entryOf(draft);
    const checked = MachineEntry.safeParse(entry);
    setFailure(null);
    if (!checked.success) {
      setShown(Object.fromEntries(checked.error.issues.map((issue) => [String(issue.path[0] ?? 'name'), issue.message])));
      return;
    }
    setShown({});
    setBusy(true);
    try {
      const { name } = await call('machines.add', { machine: entry });
      open(['machines', name]);
    } catch (thrown) {
      const field = thrown instanceof CallFailed ? thrown.field?.split('.').at(-1) : undefined;
      const message = thrown instanceof Error ? thrown.message : String(thrown);
      if (field !== undefined && field in EMPTY) setShown({ [field]: message });
      else setFailure(message);
    }
    setBusy(false);
  };
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    void add();
  };
  return (
    <form className="machines-panel machines-form" onSubmit={submit} aria-label="Add a machine">
      <h2>Add a machine that you reach over SSH</h2>
      <p className="quiet">
        Nothing is changed there yet: it is looked at first, and what a setup would do is said before it does it. Passphrases stay in your
        agent or under Settings › Secrets.
      </p>
      {FIELDS.map(({ name, label, help, placeholder }) => (
        <TextInput
          key={name}
          label={label}
          description={help}
          placeholder={placeholder}
          value={draft[name]}
          error={shown[name]}
          autoComplete="off"
          spellCheck={false}
          required={name === 'name' || name === 'host'}
          withAsterisk={false}
          onChange={(event) => {
            const { value } = event.currentTarget;
            setDraft((before) => ({ ...before, [name]: value }));
          }}
        />
      ))}
      <NumberInput
        label="Port"
        description="Empty: as ~/.ssh/config says, else 22."
        min={1}
        max={65_535}
        value={draft.port ?? ''}
        error={shown.port}
        onChange={(value) => setDraft((before) => ({ ...before, port: typeof value === 'number' ? value : null }))}
      />
      {failure === null ? null : <p className="state-failed verbatim">✕ {failure}</p>}
      <div className="machines-buttons">
        <Button type="submit" loading={busy}>
          Add machine
        </Button>
        <Button variant="default" onClick={() => open(['machines'])}>
          Cancel
        </Button>
      </div>
    </form>
  );
}
