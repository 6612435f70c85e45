/** Whether the questions that trained or selected a model are among those that it is measured on, where those sets can still be opened. */
import { contaminationOf } from '../../shared/contamination.ts';
import { dataName } from '../../shared/data-groups.ts';
import type { ContaminationCheck } from '../../shared/evaluation.ts';
import { InputError } from '../../shared/input-error.ts';
import { openDataset } from '../data/catalogue.ts';
import type { Dataset } from '../data/dataset.ts';
import type { OpenedEvaluation } from './compare-set.ts';

interface UsedSet {
  name: string;
  split: string;
  hash: string;
}

/** What the evaluation says of its model's making, else what the run's own record says. */
function usedBy({ evaluation, run }: OpenedEvaluation): { sets: UsedSet[]; trained: string | null; selected: string | null } {
  const { lineage } = evaluation;
  if (lineage !== null) return { sets: lineage.data, trained: lineage.trained_on, selected: lineage.selected_on };
  if (run === null) return { sets: [], trained: null, selected: null };
  return { sets: run.record.data, trained: run.record.splits.trained_on, selected: run.record.splits.selected_on };
}

/** Opens a set once, or says why not. */
function opener(): (spec: string) => Promise<Dataset | string> {
  const opened = new Map<string, Promise<Dataset | string>>();
  return (spec) => {
    const known = opened.get(spec);
    if (known !== undefined) return known;
    const opening = openDataset(spec).catch((error: unknown) => {
      if (error instanceof InputError) return error.message;
      throw error;
    });
    opened.set(spec, opening);
    return opening;
  };
}

/** One used set against the questions reported; found null, with the reason, where either cannot be read as it was. */
async function checkOne(
  entry: OpenedEvaluation,
  used: UsedSet,
  open: (spec: string) => Promise<Dataset | string>,
): Promise<Pick<ContaminationCheck, 'found' | 'of' | 'note'>> {
  const unchecked = (note: string) => ({ found: null, of: null, note });
  if (used.hash === entry.evaluation.data_hash) {
    return { found: entry.items.length, of: entry.items.length, note: 'the very same questions' };
  }
  if (entry.questions === null) return unchecked('the questions reported cannot be opened any more');
  const set = await open(`${used.name}:${used.split}`);
  if (typeof set === 'string') return unchecked(set);
  // A run may have used the first questions of a set only; all of it is looked through, which can only find more.
  const whole = set.hash === used.hash;
  const finding = contaminationOf(set.questions, entry.questions);
  const { exact, ngram, affected } = finding;
  return {
    found: affected,
    of: finding.b,
    note: [
      ...(affected === 0 ? [] : [`${exact.count} the same text, ${ngram.count} share ${ngram.n} words in a row`]),
      ...(whole ? [] : ['the set is not just what the run used (a part of it, or it has changed since); all of it was looked through']),
    ].join('; '),
  };
}

/** One row for each model, set that it was made with, and set that it is reported on. */
export async function checkContamination(evaluations: readonly OpenedEvaluation[]): Promise<ContaminationCheck[]> {
  const open = opener();
  const rows = new Map<string, ContaminationCheck>();
  const found = new Map<string, Pick<ContaminationCheck, 'found' | 'of' | 'note'>>();
  for (const entry of evaluations) {
    const { sets, trained, selected } = usedBy(entry);
    for (const used of sets) {
      const name = `${used.name}:${used.split}`;
      const reported = dataName(entry.evaluation);
      const role = name === trained ? 'trained_on' : name === selected ? 'selected_on' : 'used';
      // Models of one study share their sets: each pair of sets is looked through once.
      const pair = JSON.stringify([name, used.hash, reported, entry.evaluation.data_hash]);
      const result = found.get(pair) ?? (await checkOne(entry, used, open));
      found.set(pair, result);
      rows.set(JSON.stringify([entry.evaluation.model, pair, role]), {
        model: entry.evaluation.model,
        role,
        used: name,
        reported,
        ...result,
      });
    }
  }
  return [...rows.values()];
}
