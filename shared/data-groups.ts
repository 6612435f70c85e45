/** Evaluations sorted by what they were asked, each group with the evaluation that the others are measured against. */
import { type Comparable, differences } from './compare.ts';
import type { Evaluation, EvaluationItem } from './evaluation.ts';
import { InputError } from './input-error.ts';
import { unknownName } from './nearest.ts';

export interface NamedEvaluation {
  /** Unique among those compared. */
  name: string;
  evaluation: Evaluation;
  items: readonly EvaluationItem[];
}

/** A configuration with several training seeds. */
export interface NamedGroup {
  name: string;
  members: readonly { name: string; seed: number | null }[];
}

export interface DataGroup {
  /** `medmcqa:test`. */
  data: string;
  reference: NamedEvaluation;
  others: NamedEvaluation[];
}

export const dataName = (evaluation: Evaluation): string => `${evaluation.data}:${evaluation.split}`;

/** Evaluations of the same questions, or of one data set and split: the latter are refused later, by name, where their questions differ. */
export function byData(list: readonly NamedEvaluation[], allow: readonly string[]): NamedEvaluation[][] {
  const groups: { hashes: Set<string>; names: Set<string>; members: NamedEvaluation[] }[] = [];
  for (const entry of list) {
    const { evaluation } = entry;
    const name = allow.includes('split') ? evaluation.data : dataName(evaluation);
    const group = groups.find((one) => one.hashes.has(evaluation.data_hash) || one.names.has(name));
    if (group === undefined) groups.push({ hashes: new Set([evaluation.data_hash]), names: new Set([name]), members: [entry] });
    else {
      group.hashes.add(evaluation.data_hash);
      group.names.add(name);
      group.members.push(entry);
    }
  }
  return groups.map((group) => group.members);
}

/**
 * What a group is measured against: `chosen` where it is in it, else the evaluation of the same model that was made most like it; undefined
 * where its model was not evaluated there.
 */
export const referenceAmong = (chosen: NamedEvaluation, members: readonly NamedEvaluation[]): NamedEvaluation | undefined =>
  members.includes(chosen)
    ? chosen
    : likest(
        chosen,
        members.filter(({ evaluation }) => evaluation.model_hash === chosen.evaluation.model_hash),
      );

/** Of several evaluations of the reference's model, the one made most like it; how questions and prompts read follows from the data set. */
function likest(reference: NamedEvaluation, candidates: readonly NamedEvaluation[]): NamedEvaluation | undefined {
  const follows: readonly Comparable[] = ['questions', 'split', 'prompt'];
  const unlike = ({ evaluation }: NamedEvaluation): number =>
    differences(reference.evaluation, evaluation).filter((name) => !follows.includes(name)).length;
  return [...candidates].sort((a, b) => unlike(a) - unlike(b))[0];
}

/**
 * Groups by data set. The reference of a group is `reference`, or on another data set the evaluation of the same model; a group of seeds stands for
 * its first member.
 * @throws InputError for an unknown reference, and for a data set on which its model was not evaluated.
 */
export function dataGroups(
  list: readonly NamedEvaluation[],
  { reference, allow, groups }: { reference?: string; allow: readonly string[]; groups: readonly NamedGroup[] },
): DataGroup[] {
  const [first] = list;
  if (first === undefined || list.length < 2) {
    throw new InputError('compare needs two evaluations or more: JSON files or folders of evaluate, or run ids', 'evaluations');
  }
  const wanted = groups.find((group) => group.name === reference)?.members[0]?.name ?? reference ?? first.name;
  const chosen = list.find((entry) => entry.name === wanted);
  if (chosen === undefined) {
    throw new InputError(
      unknownName(
        'reference',
        wanted,
        [...list, ...groups].map((entry) => entry.name),
      ),
      'reference',
    );
  }
  return byData(list, allow).map((members): DataGroup => {
    const found = referenceAmong(chosen, members);
    const data = dataName((members[0] ?? chosen).evaluation);
    if (found === undefined) {
      throw new InputError(
        `${data}: the reference ${chosen.name} (${chosen.evaluation.model}) was not evaluated there; evaluate it on ${data}, or leave out ${members.map((entry) => entry.name).join(', ')}`,
        'reference',
      );
    }
    if (members.length === 1) {
      throw new InputError(
        `${data}: ${found.name} stands alone, so there is nothing to compare it with; evaluate another model on the same questions, or leave it out. Evaluations of different questions are compared over those in common with --allow questions`,
        'evaluations',
      );
    }
    return { data, reference: found, others: members.filter((entry) => entry !== found) };
  });
}
