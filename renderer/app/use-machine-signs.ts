/** What the status bar says of machines: those that cannot be seen, and what rented ones cost. */
import { useState } from 'react';
import { usdText } from '../../shared/pod-money.ts';
import type { PodList } from '../../shared/pods.ts';
import type { TopicItem } from '../../shared/rpc/contract.ts';
import { useTopic } from '../rpc/use-topic.ts';

type Connections = TopicItem<'machines.connections'>;

export interface MachineSigns {
  troubled: { name: string; words: string }[];
  /** Null where nothing is rented. */
  money: string | null;
}

export function useMachineSigns(): MachineSigns {
  const [connections, setConnections] = useState<Connections>([]);
  const [pods, setPods] = useState<PodList | null>(null);
  useTopic('machines.connections', 'all', () => ({}), setConnections);
  useTopic('pods.watch', 'all', () => ({}), setPods);
  const troubled = connections.flatMap(({ machine, connection }) =>
    connection.state === 'waiting'
      ? [{ name: machine, words: 'not seen' }]
      : connection.state === 'refused'
        ? [{ name: machine, words: 'to be looked at' }]
        : [],
  );
  const rented = pods !== null && pods.pods.length > 0;
  return { troubled, money: rented ? `${usdText(pods.spent_usd)} spent, ${usdText(pods.price_per_hour)}/h` : null };
}
