/** Of the evaluations that a user chose, those that can be compared with the reference of their data set, and why the others cannot. */
import { type Comparable, type DifferenceInWords, differencesInWords, pairAnswers } from './compare.ts';
import { byData, dataName, type NamedEvaluation, referenceAmong } from './data-groups.ts';
import { InputError } from './input-error.ts';

/** An evaluation that is left out of the comparison. */
export interface SetAside {
  name: string;
  /** What it would be measured against; null where there is nothing. */
  against: string | null;
  /** Differences that are not allowed yet; empty where allowing them would not help. */
  differing: DifferenceInWords[];
  /** The reason in words. */
  why: string;
}

export interface SortedOut<T extends NamedEvaluation> {
  /** Fewer than two: there is nothing to compare. */
  kept: T[];
  setAside: SetAside[];
}

function faultOf(
  reference: NamedEvaluation,
  other: NamedEvaluation,
  allow: readonly Comparable[],
): Pick<SetAside, 'differing' | 'why'> | null {
  const differing = differencesInWords(reference.evaluation, other.evaluation).filter(({ name }) => !allow.includes(name));
  if (differing.length > 0) return { differing, why: `differs from ${reference.name} in more than the model` };
  try {
    pairAnswers(reference.evaluation, reference.items, other.evaluation, other.items, { allow });
    return null;
  } catch (error) {
    if (error instanceof InputError) return { differing: [], why: error.message };
    throw error;
  }
}

/** Sorts them by what `compareMany` would refuse, so that one that does not fit hides no other. `reference`: a name; the first where it is none. */
export function sortOut<T extends NamedEvaluation>(
  list: readonly T[],
  { reference, allow }: { reference: string | null; allow: readonly Comparable[] },
): SortedOut<T> {
  const chosen = list.find(({ name }) => name === reference) ?? list[0];
  if (chosen === undefined) return { kept: [], setAside: [] };
  const setAside: SetAside[] = [];
  const fitting = new Set<NamedEvaluation>();
  const leave = (name: string, against: string | null, why: string): void => {
    setAside.push({ name, against, differing: [], why });
  };
  for (const members of byData(list, allow)) {
    const base = referenceAmong(chosen, members);
    const data = dataName((members[0] ?? chosen).evaluation);
    if (base === undefined) {
      for (const { name } of members) {
        leave(name, null, `the reference ${chosen.name} was not evaluated on ${data}; evaluate it there, or choose another reference`);
      }
      continue;
    }
    const others = members.filter((entry) => entry !== base);
    const compared = others.filter((entry) => {
      const fault = faultOf(base, entry, allow);
      if (fault !== null) setAside.push({ name: entry.name, against: base.name, ...fault });
      return fault === null;
    });
    if (compared.length > 0) for (const entry of [base, ...compared]) fitting.add(entry);
    else if (list.length > 1 && others.length === 0) {
      leave(base.name, null, `the only one on ${data}: there is nothing to compare it with; evaluate another model on the same questions`);
    }
  }
  return { kept: list.filter((entry) => fitting.has(entry)), setAside };
}
