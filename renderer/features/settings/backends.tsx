/** What can compute here, and why or why not: the same facts as `medlogictrace backends`. */
import { Badge, Radio } from '@mantine/core';
import { Failed, Loading } from '../../app/states.tsx';
import { useQuery } from '../../rpc/use-query.ts';

export function Backends() {
  const { data, error, refresh } = useQuery('settings.backends', {});
  if (data === null)
    return error === null ? (
      <Loading what="Starting each backend to see whether it runs" />
    ) : (
      <Failed what="The backends could not be tried" error={error} retry={refresh} />
    );
  // The first that can be used is what a run takes unless its settings name another.
  const used = data.find(({ available }) => available)?.name ?? null;
  return (
    <>
      <p className="quiet">
        A backend does the arithmetic of a model. A run names its own (<span className="mono">backend</span> in its settings); what cannot
        run here cannot be chosen.
      </p>
      <Radio.Group value={used} aria-label="Backend of new runs">
        <div className="settings-list">
          {data.map(({ name, what, available, reason }) => (
            <div key={name} className="card settings-item">
              <Radio
                className={available ? undefined : 'settings-unavailable'}
                value={name}
                disabled={!available}
                readOnly
                label={<span className="mono">{name}</span>}
              />
              <Badge color={available ? 'green' : 'gray'}>{available ? 'available' : 'not available'}</Badge>
              <p>{what}</p>
              <p className="quiet">
                {available ? 'Why: ' : 'Why not: '}
                {reason}
              </p>
            </div>
          ))}
        </div>
      </Radio.Group>
    </>
  );
}
