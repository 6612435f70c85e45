/** Where a run is to be carried out, kept in the address: null is this computer, at once. */
import { useMemo } from 'react';
import type { RouteRequest } from '../../../shared/rpc/contract.ts';
import { useParameter } from '../../app/address.ts';

/** This computer as a machine: through its queue. */
export const HERE = 'local';

export type Place = Required<Pick<NonNullable<RouteRequest<'configure.start'>['place']>, 'machine' | 'gpus' | 'queue'>>;

export function usePlace(): [Place | null, (place: Place | null) => void] {
  const [machine, setMachine] = useParameter('machine');
  const [gpus, setGpus] = useParameter('gpus');
  const [queue, setQueue] = useParameter('queue');
  const place = useMemo((): Place | null => {
    const count = Number(gpus);
    return machine === null ? null : { machine, gpus: Number.isInteger(count) && count > 0 ? count : 'all', queue: queue === 'yes' };
  }, [machine, gpus, queue]);
  const choose = (next: Place | null): void => {
    setMachine(next?.machine ?? null);
    setGpus(next === null || next.gpus === 'all' ? null : String(next.gpus));
    setQueue(next?.queue ? 'yes' : null);
  };
  return [place, choose];
}
