/** Where models come from: the hub's address, offline mode, the token, and the cache. */
import { Button, Switch, TextInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { DEFAULT_ENDPOINT } from '../../../shared/hub-model.ts';
import type { HubState } from '../../../shared/settings.ts';
import { Failed, Loading } from '../../app/states.tsx';
import { call, messageOf } from '../../rpc/client.ts';
import { useQuery } from '../../rpc/use-query.ts';
import { SecretCard } from './secret-list.tsx';

const DECIDED = { variable: 'set by the environment variable', settings: 'set here', default: 'the default' } as const;

function HubForm({ state, changed }: { state: HubState; changed: () => void }) {
  const { endpoint, offline, kept } = state;
  const [address, setAddress] = useState(kept.endpoint ?? '');
  const [failed, setFailed] = useState<string | null>(null);
  const keep = async (next: HubState['kept']): Promise<boolean> => {
    setFailed(null);
    try {
      await call('settings.set_hub', next);
      return true;
    } catch (thrown) {
      setFailed(messageOf(thrown));
      return false;
    } finally {
      changed();
    }
  };
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    void keep({ ...kept, endpoint: address.trim() || null });
  };
  return (
    <>
      <form className="card settings-item" onSubmit={submit}>
        <h3>Endpoint</h3>
        <p className="quiet">The hub that models are fetched from; a mirror of your organisation, say. Empty: Hugging Face’s own.</p>
        <p>
          In force: <span className="mono verbatim">{endpoint.value}</span>, {DECIDED[endpoint.decided_by]}
          {endpoint.decided_by === 'variable' ? ' HF_ENDPOINT, which stands before what is kept here' : ''}.
        </p>
        <div className="settings-secret">
          <TextInput
            size="xs"
            aria-label="Endpoint of the hub"
            placeholder={DEFAULT_ENDPOINT}
            value={address}
            onChange={(event) => setAddress(event.currentTarget.value)}
            error={failed}
          />
          <Button type="submit" disabled={(address.trim() || null) === kept.endpoint}>
            Keep
          </Button>
        </div>
      </form>
      <div className="card settings-item">
        <h3>Offline mode</h3>
        <p className="quiet">Nothing is fetched; models that are here already go on working.</p>
        <Switch
          label="Fetch nothing"
          checked={offline.value}
          disabled={offline.decided_by === 'variable'}
          onChange={(event) => void keep({ ...kept, offline: event.currentTarget.checked })}
        />
        {offline.decided_by === 'variable' ? <p className="quiet">Decided by the environment variable HF_HUB_OFFLINE.</p> : null}
      </div>
      <div className="card settings-item">
        <h3>Cache</h3>
        <p className="quiet">
          Hugging Face’s own tools keep models here, too, so nothing is fetched twice. HF_HUB_CACHE or HF_HOME moves it.
        </p>
        <p className="mono verbatim">{state.cache}</p>
      </div>
    </>
  );
}

export function Hub() {
  const { data, error, refresh } = useQuery('settings.hub', {});
  const secrets = useQuery('settings.secrets', {});
  const token = secrets.data?.find(({ name }) => name === 'hf_token');
  if (data === null)
    return error === null ? <Loading what="Asking where models come from" /> : <Failed what="No answer" error={error} retry={refresh} />;
  return (
    <div className="settings-list">
      <HubForm state={data} changed={refresh} />
      {token === undefined ? null : <SecretCard secret={token} changed={secrets.refresh} />}
    </div>
  );
}
