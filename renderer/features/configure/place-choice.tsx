/** Where the run is carried out, and what it takes of that machine; on a rented one, what an hour costs. */
import { Checkbox, NativeSelect, NumberInput } from '@mantine/core';
import { usdText } from '../../../shared/pod-money.ts';
import type { PodView } from '../../../shared/pods.ts';
import { secondsInWords } from '../../../shared/run-words.ts';
import { hrefOf } from '../../app/address.ts';
import { useQuery } from '../../rpc/use-query.ts';
import { HERE, type Place } from './use-place.ts';

function PodMoney({ pod, seconds }: { pod: PodView; seconds: number | null }) {
  const price = `${usdText(pod.price_per_hour)}/h`;
  const left = pod.spent.hours_left === null ? '' : `; its budget lasts ${secondsInWords(pod.spent.hours_left * 3600)} more`;
  return (
    <p className="small">
      {price}, {usdText(pod.spent.usd)} spent so far{left}.{' '}
      {seconds === null ? null : (
        <span className="quiet">
          At the speed of this computer the run would cost {usdText((pod.price_per_hour * seconds) / 3600)} there; its own first steps will
          say better.
        </span>
      )}
    </p>
  );
}

/** `seconds`: how long the trial says that the run takes here; null where there was none. */
export function PlaceChoice({
  place,
  choose,
  seconds,
}: {
  place: Place | null;
  choose: (place: Place | null) => void;
  seconds: number | null;
}) {
  const { data: machines, error } = useQuery('machines.list', {});
  const { data: pods } = useQuery('pods.list', {}, { everyMs: 60_000, enabled: place !== null });
  const names = machines?.map(({ name }) => name).filter((name) => name !== HERE) ?? [];
  const pod = pods?.pods.find(({ machine }) => machine === place?.machine);
  const change = (part: Partial<Place>): void => choose({ machine: HERE, gpus: 'all', queue: false, ...place, ...part });
  return (
    <section aria-labelledby="place-title" className="configure-part">
      <div className="configure-part-head">
        <h2 id="place-title">Where it runs</h2>
        <a className="small" href={hrefOf(['machines'])}>
          Machines
        </a>
      </div>
      <NativeSelect
        aria-label="Machine"
        value={place?.machine ?? ''}
        data={[
          { value: '', label: 'this computer, at once' },
          { value: HERE, label: 'this computer, in its queue' },
          ...names.map((name) => ({ value: name, label: name })),
          // Chosen by an address, and not (or no longer) in the list: the start will say so.
          ...(place !== null && place.machine !== HERE && !names.includes(place.machine)
            ? [{ value: place.machine, label: `${place.machine} (not in the list)` }]
            : []),
        ]}
        onChange={({ currentTarget: { value } }) => (value === '' ? choose(null) : change({ machine: value, queue: value === HERE }))}
      />
      {error === null || error.code === 'lost' ? null : <p className="configure-wrong">✕ {error.message}</p>}
      {place === null ? null : (
        <>
          <NumberInput
            label="GPUs or places"
            description="Empty: all of the machine. One each lets several runs go side by side."
            min={1}
            max={1024}
            allowDecimal={false}
            value={place.gpus === 'all' ? '' : place.gpus}
            onChange={(value) => change({ gpus: typeof value === 'number' ? value : 'all' })}
          />
          <Checkbox
            label="Wait in the queue where no place is free"
            checked={place.queue}
            onChange={({ currentTarget: { checked } }) => change({ queue: checked })}
          />
          {place.machine === HERE ? null : (
            <p className="small quiet">
              It goes on there whatever this window does. Data sets and models that are only here are sent first; weights come back when it
              ends.
            </p>
          )}
          {pod === undefined ? null : <PodMoney pod={pod} seconds={seconds} />}
        </>
      )}
    </section>
  );
}
