/**
 * The state of a mirrored run without asking its machine: what that machine proved when it last answered, and how long ago that was by
 * this computer's clock. That nothing was heard is never taken for an end.
 */
import type { RemoteRun } from '../../../shared/remote-run.ts';
import type { RunState } from '../../../shared/run-view.ts';

/** While a machine is watched it answers every other second. */
const FRESH_MS = 20_000;

const clock = (time: string): string => {
  const at = new Date(time);
  return `${String(at.getHours()).padStart(2, '0')}:${String(at.getMinutes()).padStart(2, '0')}`;
};

/** Of a run whose mirror holds no exit.json. `now`: milliseconds since 1970. */
export function mirroredState({ machine, last_contact, sign, beating }: RemoteRun, now: number = Date.now()): RunState {
  if (last_contact === null || sign === null) {
    return { state: 'unverifiable', evidence: `${machine} has not been heard of yet`, age_seconds: null };
  }
  // This computer's own clock may have been set since.
  const age = Math.abs(now - Date.parse(last_contact));
  const fresh = age <= FRESH_MS;
  const asOf = `as of ${clock(last_contact)}`;
  const process = sign.pid === null ? 'its process' : `process ${sign.pid}`;
  if (sign.waiting !== null) {
    const evidence = `it waits in the queue of ${machine}, place ${sign.waiting}${fresh ? '' : `, ${asOf}`}`;
    return { state: 'unverifiable', evidence, age_seconds: Math.round(age / 1000) };
  }
  const dead = sign.process === 'gone' && sign.launcher !== 'alive';
  if (dead) {
    const evidence = `killed, or unable to write exit.json: ${process} on ${machine} is gone${fresh ? '' : `, ${asOf}`}`;
    return { state: 'exited', evidence, exit: null };
  }
  if (fresh && sign.process === 'alive') return { state: 'live', evidence: `${process} runs on ${machine}` };
  if (fresh && sign.process === 'gone') {
    return { state: 'live', evidence: `${process} on ${machine} is gone, and its launcher starts it again or writes its end` };
  }
  if (fresh && beating) return { state: 'live', evidence: `its heartbeat on ${machine} moves (${sign.heartbeat})` };
  const was = sign.process === 'alive' || beating ? 'it was live then' : 'its process could not be seen then';
  const evidence = fresh ? `nothing can be proved of ${process} on ${machine}` : `${machine} was last heard ${asOf}; ${was}`;
  return { state: 'unverifiable', evidence, age_seconds: Math.round(age / 1000) };
}
