/** Contamination between data sets by name, and of a split by the other splits of its set. */
import { type ContaminationFinding, OverlapIndex } from '../../shared/contamination.ts';
import type { SplitContamination } from '../../shared/dataset-listing.ts';
import { InputError } from '../../shared/input-error.ts';
import type { Question } from '../../shared/question.ts';
import { openDataset, scanQuestions, siblingSplits } from './catalogue.ts';

/** Which questions of `b` stand in `a`. Memory grows with `b` alone where `a` is an imported set. Errors: as for `openDataset`. */
export async function contaminationBetween(a: string, b: string): Promise<ContaminationFinding> {
  const { questions } = await openDataset(b, { unlabelled: true });
  const index = new OverlapIndex(questions);
  await scanQuestions(a, (q) => index.add(q));
  return index.finding();
}

/**
 * How much of a split stands in each other split of its set. A split that holds some of the same rows (`dev`, of which `test` is a part)
 * is passed over; one that is not available says why.
 */
export async function contaminationBySplits(spec: string, questions: readonly Question[]): Promise<SplitContamination[]> {
  const ids = new Set(questions.map((q) => q.id));
  const found: SplitContamination[] = [];
  for (const other of (await siblingSplits(spec)).others) {
    const index = new OverlapIndex(questions);
    let shared = 0;
    try {
      await scanQuestions(other.spec, (q) => {
        if (ids.has(q.id)) shared++;
        else if (shared === 0) index.add(q);
      });
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      found.push({ split: other.split, finding: null, reason: error.message });
      continue;
    }
    if (shared === 0) found.push({ split: other.split, finding: index.finding(), reason: null });
  }
  return found;
}
