/** Whether the services can be reached. */
import { useSyncExternalStore } from 'react';
import { isConnected, watchConnection } from '../rpc/client.ts';

export const useConnected = (): boolean => useSyncExternalStore((changed) => watchConnection(changed), isConnected);
