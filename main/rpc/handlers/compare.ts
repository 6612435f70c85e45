/** Answers of the namespace "compare". */
import type { compareRoutes } from '../../../shared/rpc/compare.ts';
import { compareCurves } from '../../workbench/compare-curves.ts';
import { CompareProcess } from '../../workbench/compare-process.ts';
import { listComparable } from '../../workbench/evaluations.ts';
import { LiveRuns } from '../../workbench/live-run.ts';
import type { Handlers } from '../router.ts';
import type { Services } from '../services.ts';

export function compareHandlers({ runsDir }: Services): Pick<Handlers, keyof typeof compareRoutes> {
  const computed = new CompareProcess(runsDir);
  const live = new LiveRuns();
  return {
    'compare.list': () => listComparable(runsDir),
    'compare.result': (choice, signal) => computed.ask('compare.result', choice, signal),
    'compare.contamination': (choice, signal) => computed.ask('compare.contamination', choice, signal),
    'compare.questions': (asked, signal) => computed.ask('compare.questions', asked, signal),
    'compare.question': (asked, signal) => computed.ask('compare.question', asked, signal),
    'compare.settings': (choice, signal) => computed.ask('compare.settings', choice, signal),
    'compare.curves': (choice) => compareCurves(runsDir, live, choice),
    'compare.report': (choice, signal) => computed.ask('compare.report', choice, signal),
  };
}
