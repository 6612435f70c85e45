/** What must be looked at before a machine can be reached, or why it cannot be seen now: beside what is known of it, never over it. */
import { Alert, Button, PasswordInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import type { MachineListing } from '../../../shared/machine-list.ts';
import { call, messageOf } from '../../rpc/client.ts';

/** A key with a passphrase that no agent holds: kept in the workbench's memory until it ends. */
function Passphrase({ send }: { send: (passphrase: string) => void }) {
  const [text, setText] = useState('');
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    setText('');
    send(text);
  };
  return (
    <form className="machines-buttons" onSubmit={submit}>
      <PasswordInput
        size="xs"
        className="machines-passphrase"
        aria-label="Passphrase of the key"
        placeholder="Passphrase of the key"
        autoComplete="off"
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
      />
      <Button type="submit" size="compact-sm" disabled={text === ''}>
        Use it
      </Button>
    </form>
  );
}

export function ConnectionBanner({ machine, changed }: { machine: MachineListing; changed: () => void }) {
  const [failure, setFailure] = useState<string | null>(null);
  const { connection, name, host_key: known } = machine;
  const act = async (action: () => Promise<unknown>): Promise<void> => {
    setFailure(null);
    try {
      await action();
      changed();
    } catch (thrown) {
      setFailure(messageOf(thrown));
    }
  };
  const retry = (
    <Button size="compact-sm" variant="default" onClick={() => void act(() => call('machines.retry', { machine: name }))}>
      Try now
    </Button>
  );
  const told = failure === null ? null : <p className="state-failed verbatim">✕ {failure}</p>;
  if (connection?.state === 'waiting')
    return (
      <Alert color="amber" variant="light" title={`${name} cannot be seen at the moment`} className="machines-banner">
        <p className="verbatim">
          {connection.why}. What runs there goes on; what is shown is as it was seen last. Tried again by itself at{' '}
          {new Date(connection.next_try).toLocaleTimeString()}.
        </p>
        {retry}
        {told}
      </Alert>
    );
  if (connection?.state !== 'refused') return told;
  const { offered, reason, message } = connection;
  if (reason === 'host_key' && offered !== null)
    return (
      <Alert
        color={known === null ? 'amber' : 'red'}
        variant="light"
        title={known === null ? `Is this ${name}?` : `${name} shows another host key than before`}
        className="machines-banner"
      >
        <p className="verbatim">{message}</p>
        <dl className="machines-keys mono">
          {known === null ? null : (
            <>
              <dt>known</dt>
              <dd>{known}</dd>
            </>
          )}
          <dt>shown</dt>
          <dd>{offered}</dd>
        </dl>
        <p>
          {known === null
            ? 'Compare it with what its owner or its console says, then accept it. It is asked for once.'
            : 'Someone may be in between, or the machine was made anew. Accept it only if you know why it changed.'}
        </p>
        <div className="machines-buttons">
          <Button
            size="compact-sm"
            color={known === null ? undefined : 'red'}
            onClick={() => void act(() => call('machines.connect', { machine: name, accept_host_key: offered }))}
          >
            {known === null ? 'Accept this key' : 'Accept the new key'}
          </Button>
          {retry}
        </div>
        {told}
      </Alert>
    );
  return (
    <Alert color="red" variant="light" title={`${name} does not let us in`} className="machines-banner">
      <p className="verbatim">{message}</p>
      {reason === 'authentication' ? (
        <Passphrase send={(passphrase) => void act(() => call('machines.connect', { machine: name, passphrase }))} />
      ) : null}
      {retry}
      {told}
    </Alert>
  );
}
