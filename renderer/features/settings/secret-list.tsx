/** Secrets: which are set, from where, and a field that only ever sends. */
import { Alert, Button, PasswordInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { SECRETS } from '../../../shared/secret-names.ts';
import type { SecretState } from '../../../shared/settings.ts';
import { Failed, Loading } from '../../app/states.tsx';
import { call, messageOf } from '../../rpc/client.ts';
import { useQuery } from '../../rpc/use-query.ts';

function inForce({ source, place, store, name }: SecretState): string {
  const { variable } = SECRETS[name];
  if (source === 'environment') return `In force: the environment variable ${variable}.`;
  if (source === null) return `Not set. It may also come from the environment variable ${variable}.`;
  return store === 'keychain' ? `In force: kept by ${place}.` : `In force: the file ${place}, readable by you alone.`;
}

export function SecretCard({ secret, changed }: { secret: SecretState; changed: () => void }) {
  const { name, source, stored, place, problem } = secret;
  const { title, what, variable } = SECRETS[name];
  const [value, setValue] = useState('');
  const [failed, setFailed] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const send = async (text: string | null): Promise<void> => {
    setBusy(true);
    setFailed(null);
    try {
      await call('settings.set_secret', { name, value: text });
      setValue('');
      changed();
    } catch (thrown) {
      setFailed(messageOf(thrown));
    }
    setBusy(false);
  };
  const onSubmit = (event: FormEvent): void => {
    event.preventDefault();
    void send(value);
  };
  return (
    <form className="card settings-item" onSubmit={onSubmit}>
      <h3>{title}</h3>
      <p className="quiet">{what}</p>
      <p className={source === null ? 'quiet' : 'state-done'}>
        {source === null ? null : <span aria-hidden="true">✓ </span>}
        {inForce(secret)}
      </p>
      {source === 'environment' && stored ? (
        <p className="quiet">
          One is also kept in {place}; {variable} stands before it.
        </p>
      ) : null}
      {problem === null ? null : (
        <Alert color="red" variant="light" title="What is kept cannot be used">
          {problem}
        </Alert>
      )}
      <div className="settings-secret">
        <PasswordInput
          size="xs"
          aria-label={`New ${title}`}
          placeholder={stored ? 'Paste another to replace it' : 'Paste it here'}
          value={value}
          onChange={(event) => setValue(event.currentTarget.value)}
          autoComplete="off"
          error={failed}
        />
        <Button type="submit" loading={busy} disabled={value.trim() === ''}>
          Keep
        </Button>
        {stored || problem !== null ? (
          <Button variant="default" onClick={() => void send(null)} disabled={busy}>
            Forget
          </Button>
        ) : null}
      </div>
    </form>
  );
}

export function SecretList() {
  const { data, error, refresh } = useQuery('settings.secrets', {});
  if (data === null)
    return error === null ? <Loading what="Asking which are set" /> : <Failed what="No answer" error={error} retry={refresh} />;
  const warning = data[0]?.warning ?? null;
  return (
    <>
      <p className="quiet">
        Kept on this machine and used for nothing but what stands beside each. The window can set and forget a secret; it cannot read one
        back. Neither runs nor their logs are given any.
      </p>
      {warning === null ? null : (
        <Alert color="amber" variant="light" title="How well they are kept">
          {warning}
        </Alert>
      )}
      <div className="settings-list">
        {data.map((secret) => (
          <SecretCard key={secret.name} secret={secret} changed={refresh} />
        ))}
      </div>
    </>
  );
}
