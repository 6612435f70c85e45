/** What this is, in which versions, under which licence. */
import { Alert } from '@mantine/core';
import { Failed, Loading } from '../../app/states.tsx';
import { useQuery } from '../../rpc/use-query.ts';

export function About() {
  const { data, error, refresh } = useQuery('app.about', {});
  return (
    <>
      <Alert color="amber" variant="light" title="Research software, not for clinical use">
        The models are small and often wrong. Nothing that they write may be used to treat a patient.
      </Alert>
      {data === null && error !== null ? <Failed what="No answer" error={error} retry={refresh} /> : null}
      {data === null && error === null ? <Loading what="Asking for the versions" /> : null}
      {data === null ? null : (
        <dl className="card settings-facts">
          <dt>MedLogicTrace Workbench</dt>
          <dd>{data.version}</dd>
          <dt>Runs on</dt>
          <dd>
            Node {data.node}
            {data.electron === null ? ', shown in a browser' : `, Electron ${data.electron}`}
          </dd>
          <dt>Platform</dt>
          <dd>{data.platform}</dd>
          <dt>Licence</dt>
          <dd>MIT. Packages that it uses keep their own; NOTICE.md names what else it builds on.</dd>
        </dl>
      )}
    </>
  );
}
