/** Who answers what is asked of a comparison, in the process that computes it. */
import type { RouteInput, RouteOutput } from '../../shared/rpc/contract.ts';
import type { ComputedRoute } from './compare-messages.ts';
import { comparedQuestion, questionPairs } from './compare-questions.ts';
import { CompareView } from './compare-view.ts';

export type CompareAnswers = { [R in ComputedRoute]: (input: RouteInput<R>) => Promise<RouteOutput<R>> };

export function compareAnswers(runsDir: string): CompareAnswers {
  const view = new CompareView(runsDir);
  return {
    'compare.result': (choice) => view.result(choice),
    'compare.contamination': (choice) => view.contamination(choice),
    'compare.questions': async ({ after, search, ...choice }) => questionPairs(await view.pair(choice, after), search),
    'compare.question': async ({ after, id, ...choice }) => comparedQuestion(await view.pair(choice, after), id),
    'compare.settings': (choice) => view.settings(choice),
    'compare.report': async (choice) => ({ html: await view.report(choice) }),
  };
}
