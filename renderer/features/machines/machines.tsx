/** The view "machines": where runs can run, what each has, what runs there, and what rented ones cost. */
import { Button, Tabs } from '@mantine/core';
import { Plus } from 'lucide-react';
import type { MachineListing } from '../../../shared/machine-list.ts';
import type { PodView } from '../../../shared/pods.ts';
import { hrefOf, useParameter, usePath } from '../../app/address.ts';
import { PaneHandle } from '../../app/pane-handle.tsx';
import { Empty, Failed, Loading } from '../../app/states.tsx';
import { useQuery } from '../../rpc/use-query.ts';
import { AddMachine } from './add-machine.tsx';
import { CleanMachine } from './clean-machine.tsx';
import { ConnectionBanner } from './connection-banner.tsx';
import { ConnectionMark } from './connection-mark.tsx';
import { MachineListPane } from './machine-list.tsx';
import { MachineRunsPanel } from './machine-runs.tsx';
import './machines.css';
import { PodPanel } from './pod-panel.tsx';
import { RentPod } from './rent-pod.tsx';
import { SetupPanel } from './setup-panel.tsx';

const ADD = 'new';
const RENT = 'rent';

function Subject({ machine, pod, changed }: { machine: MachineListing; pod: PodView | null; changed: () => void }) {
  const [tab, setTab] = useParameter('tab');
  const local = machine.kind === 'local';
  const first = pod === null ? 'setup' : 'pod';
  return (
    <Tabs value={tab ?? first} onChange={(value) => setTab(value === first ? null : value)} className="pane-subject machines-subject">
      <ConnectionBanner machine={machine} changed={changed} />
      <Tabs.List className="machines-tabs">
        {pod === null ? null : <Tabs.Tab value="pod">Pod and money</Tabs.Tab>}
        <Tabs.Tab value="setup">What it has</Tabs.Tab>
        <Tabs.Tab value="runs">Runs there</Tabs.Tab>
        {local ? null : <Tabs.Tab value="clean">Clean</Tabs.Tab>}
      </Tabs.List>
      {pod === null ? null : (
        <Tabs.Panel value="pod">
          <PodPanel pod={pod} changed={changed} />
        </Tabs.Panel>
      )}
      <Tabs.Panel value="setup">
        {(tab ?? first) === 'setup' ? (
          <SetupPanel key={`${machine.name} ${machine.connection?.state === 'refused'}`} machine={machine.name} />
        ) : null}
      </Tabs.Panel>
      <Tabs.Panel value="runs">{tab === 'runs' ? <MachineRunsPanel key={machine.name} machine={machine.name} /> : null}</Tabs.Panel>
      {local ? null : (
        <Tabs.Panel value="clean">
          <CleanMachine machine={machine.name} cleaned={changed} />
        </Tabs.Panel>
      )}
    </Tabs>
  );
}

function Chosen({
  chosen,
  machines,
  pods,
  changed,
}: {
  chosen: string;
  machines: readonly MachineListing[];
  pods: readonly PodView[];
  changed: () => void;
}) {
  if (chosen === ADD)
    return (
      <div className="pane-subject">
        <AddMachine />
      </div>
    );
  if (chosen === RENT)
    return (
      <div className="pane-subject">
        <RentPod changed={changed} />
      </div>
    );
  const stranger = pods.find(({ id }) => chosen === `pod:${id}`);
  if (stranger !== undefined)
    return (
      <div className="pane-subject">
        <PodPanel pod={stranger} changed={changed} />
      </div>
    );
  const machine = machines.find(({ name }) => name === chosen);
  if (machine === undefined)
    return (
      <div className="pane-subject">
        <Empty
          title={`There is no machine “${chosen}”`}
          action={
            <Button component="a" href={hrefOf(['machines', ADD])}>
              Add a machine
            </Button>
          }
        >
          <p>It may have been taken off the list. What it has of ours is still there, and so are the runs that were followed here.</p>
        </Empty>
      </div>
    );
  const pod = pods.find((one) => one.machine === machine.name) ?? null;
  return <Subject key={machine.name} machine={machine} pod={pod} changed={changed} />;
}

export default function Machines() {
  const [, address] = usePath();
  const list = useQuery('machines.list', {}, { everyMs: 3000 });
  // Without a key there are no pods to ask for, and that is no fault.
  const secrets = useQuery('settings.secrets', {});
  const hasKey = secrets.data?.some(({ name, source }) => name === 'runpod_api_key' && source !== null) ?? false;
  const rented = useQuery('pods.list', {}, { everyMs: 30_000, enabled: hasKey });
  const { data: machines, error, at, refresh } = list;
  if (machines === null)
    return error === null ? (
      <Loading what="Reading the list of machines" />
    ) : (
      <Failed what="The machines could not be listed" error={error} retry={refresh} />
    );
  const pods = rented.data?.pods ?? [];
  const chosen = address ?? machines[0]?.name ?? ADD;
  const machine = machines.find(({ name }) => name === chosen);
  const changed = (): void => {
    refresh();
    rented.refresh();
  };
  return (
    <>
      <div className="toolbar">
        <strong>{machine?.kind === 'local' ? 'This computer' : (machine?.name ?? 'Machines')}</strong>
        {machine === undefined || machine.kind === 'local' ? null : (
          <span className="small">
            <ConnectionMark connection={machine.connection} />
          </span>
        )}
        <div className="toolbar-end">
          <Button variant="default" component="a" href={hrefOf(['machines', RENT])}>
            Rent a pod
          </Button>
          <Button component="a" href={hrefOf(['machines', ADD])} leftSection={<Plus size={14} aria-hidden="true" />}>
            Add a machine
          </Button>
        </div>
      </div>
      {error === null || error.code === 'lost' ? null : (
        <Failed what="The machines could not be listed again" error={error} at={at} retry={refresh} />
      )}
      {rented.error === null || rented.error.code !== 'failed' ? null : (
        <Failed what="RunPod could not be asked for your pods" error={rented.error} at={rented.at} retry={rented.refresh} />
      )}
      <div className="panes">
        <MachineListPane machines={machines} pods={pods} chosen={chosen} />
        <PaneHandle pane="before" name="machines-list" label="Width of the list" />
        <Chosen chosen={chosen} machines={machines} pods={pods} changed={changed} />
      </div>
    </>
  );
}
