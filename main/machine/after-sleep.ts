/** What is done with a connection when this computer wakes: a healthy one is never torn down, a dead one is not waited for. */
import type { MachineConnection } from './machine.ts';

/** How long a connection from before the sleep may take to answer, in milliseconds. */
export const ANSWER_AFTER_SLEEP_MS = 5000;

/** One that was there is asked whether it still answers, and made anew where it does not; one that waits for its next try tries now. */
export async function afterSleep(connection: MachineConnection): Promise<void> {
  if (connection.state.state === 'connected') await connection.probe(ANSWER_AFTER_SLEEP_MS);
  else if (connection.state.state === 'waiting') connection.retry();
}
