/** Answers of the namespace "compare". */
import type { compareRoutes } from '../../../shared/rpc/compare.ts';
import { compareCurves } from '../../workbench/compare-curves.ts';
import { comparedQuestion, questionPairs } from '../../workbench/compare-questions.ts';
import { CompareView } from '../../workbench/compare-view.ts';
import { listComparable } from '../../workbench/evaluations.ts';
import { LiveRuns } from '../../workbench/live-run.ts';
import type { Handlers } from '../router.ts';
import type { Services } from '../services.ts';

export function compareHandlers({ runsDir }: Services): Pick<Handlers, keyof typeof compareRoutes> {
  const view = new CompareView(runsDir);
  const live = new LiveRuns();
  return {
    'compare.list': () => listComparable(runsDir),
    'compare.result': (choice) => view.result(choice),
    'compare.contamination': (choice) => view.contamination(choice),
    'compare.questions': async ({ after, search, ...choice }) => questionPairs(await view.pair(choice, after), search),
    'compare.question': async ({ after, id, ...choice }) => comparedQuestion(await view.pair(choice, after), id),
    'compare.settings': (choice) => view.settings(choice),
    'compare.curves': (choice) => compareCurves(runsDir, live, choice),
    'compare.report': async (choice) => ({ html: await view.report(choice) }),
  };
}
