/** What to tell the user of runs while they look elsewhere: one that ended, and one that can no longer be seen. */
import type { RunList, RunSummary } from '../../shared/run-view.ts';
import { stateInWords, verdictOfRun } from '../../shared/run-words.ts';

export interface RunNotice {
  run: string;
  title: string;
  body: string;
}

const TITLE = { done: 'Run finished', failed: 'Run failed', unverifiable: 'Run not seen' } as const;

/** Notices for what changed between two looks; nothing for runs that were not live before, or that someone stopped. */
export function runNotices(before: RunList, after: RunList): RunNotice[] {
  const live = new Map(before.runs.filter(({ state }) => state.state === 'live').map((run) => [run.id, run]));
  return after.runs.flatMap((run: RunSummary) => {
    const verdict = verdictOfRun(run.state);
    if (!live.has(run.id) || verdict === 'live') return [];
    // 130: stopped on request.
    if (run.state.state === 'exited' && run.state.exit?.code === 130) return [];
    return [{ run: run.id, title: TITLE[verdict], body: `${run.name ?? run.id}: ${stateInWords(run.state)}` }];
  });
}
