/** What the window compares: sets opened once, measured once for each reference, and asked about many times. */
import { stat } from 'node:fs/promises';
import { join, relative, resolve, sep } from 'node:path';
import { sortOut } from '../../shared/comparable.ts';
import { compareMany } from '../../shared/compare-many.ts';
import { contaminationSentences } from '../../shared/comparison-rows.ts';
import type { ComparisonSet } from '../../shared/comparison-set.ts';
import { dataName } from '../../shared/data-groups.ts';
import { InputError } from '../../shared/input-error.ts';
import { type CompareChoice, CompareRef, type CompareResult, type NamedDifference } from '../../shared/rpc/compare.ts';
import { settingsDifference } from '../../shared/settings-difference.ts';
import { type OpenedEvaluation, type OpenedSet, openSet } from './compare-set.ts';
import { checkContamination } from './contamination-check.ts';
import { Kept } from './kept.ts';
import { renderReport } from './report.ts';
import { drawnComparison } from './report-figures.ts';
import { namedComparisons, reportOf, settingsOf, trainingSettings } from './report-of-set.ts';
import { readRecord } from './run-files.ts';
import { shortNames } from './short-names.ts';
import type { TrainingRun } from './training-run.ts';

/** What was chosen, as it was found. */
interface Found {
  opened: OpenedSet;
  /** Training runs chosen themselves. */
  training: TrainingRun[];
  unreadable: CompareResult['unreadable'];
}

/** What was measured of it. */
interface Measured {
  found: Found;
  /** Those that can be compared, and their groups. */
  kept: OpenedSet;
  set: ComparisonSet | null;
  setAside: CompareResult['set_aside'];
}

const message = (error: unknown): string => (error instanceof Error ? error.message : String(error));

export class CompareView {
  private readonly runsDir: string;
  private readonly found = new Kept<Promise<Found>>(3);
  private readonly measured = new Kept<Promise<Measured>>(4);

  constructor(runsDir: string) {
    this.runsDir = resolve(runsDir);
  }

  private readonly path = (ref: string): string => join(this.runsDir, ref);
  private readonly ref = (path: string): string => relative(this.runsDir, path).split(sep).join('/');

  /** What was chosen and when it was last written: a set is opened again when one of its files has changed. */
  private async stamp(refs: readonly string[]): Promise<string> {
    const times = refs.map(async (ref) => {
      const files = ['evaluation.json', 'items.jsonl', 'events.jsonl', 'run.json'];
      const found = await Promise.all(files.map((file) => stat(join(this.path(ref), file)).catch(() => null)));
      return found.map((it) => (it === null ? '' : `${it.mtimeMs}/${it.size}`)).join();
    });
    return JSON.stringify([refs, await Promise.all(times)]);
  }

  private async open(refs: readonly string[]): Promise<Found> {
    const unreadable: Found['unreadable'] = [];
    const training: TrainingRun[] = [];
    const evaluations: string[] = [];
    for (const ref of refs) {
      const folder = this.path(ref);
      try {
        const isRun = (await stat(join(folder, 'run.json')).catch(() => null)) !== null;
        const record = isRun ? readRecord(folder) : null;
        if (record === null || record.config.kind === 'evaluate') evaluations.push(folder);
        else training.push({ folder, record });
      } catch (error) {
        unreadable.push({ ref, message: message(error) });
      }
    }
    const opened = await openSet(evaluations, {
      runs: this.runsDir,
      names: 'models',
      onFault: (path, error) => unreadable.push({ ref: this.ref(path), message: error.message }),
    });
    return { opened, training, unreadable };
  }

  private async measure({ with: refs, reference, allow }: CompareChoice): Promise<Measured> {
    const unique = [...new Set(refs)];
    const stamp = await this.stamp(unique);
    return kept(this.measured, JSON.stringify([stamp, reference, [...allow].sort()]), async () => {
      const found = await kept(this.found, stamp, () => this.open(unique));
      const { evaluations, groups, notes } = found.opened;
      const chosen = evaluations.find((entry) => reference !== null && entry.ref === this.path(reference)) ?? evaluations[0];
      const sorted = sortOut(evaluations, { reference: chosen?.name ?? null, allow });
      const there = new Set(sorted.kept.map((entry) => entry.name));
      const keptGroups = groups
        .map((group) => ({ ...group, members: group.members.filter(({ name }) => there.has(name)) }))
        .filter(({ members }) => members.length > 1);
      const name = chosen !== undefined && there.has(chosen.name) ? chosen.name : undefined;
      const comparable: OpenedSet = { evaluations: sorted.kept, groups: keptGroups, reference: name, notes };
      const set =
        sorted.kept.length < 2 ? null : compareMany(sorted.kept, { allow, groups: keptGroups, ...(name ? { reference: name } : {}) });
      return { found, kept: comparable, set, setAside: sorted.setAside };
    });
  }

  /** Errors: InputError for what no sorting out can mend. */
  async result(choice: CompareChoice): Promise<CompareResult> {
    const { found, kept: comparable, set, setAside } = await this.measure(choice);
    const { reported, series } = namedComparisons(comparable, set?.comparisons ?? [], set);
    const training = this.trainingOf(found);
    const here = training.filter(({ run }) => CompareRef.safeParse(this.ref(run.folder)).success);
    const references = new Set(set?.evaluations.filter(({ reference }) => reference).map(({ name }) => name));
    return {
      evaluations: found.opened.evaluations.map((entry) => ({
        ref: this.ref(entry.ref),
        name: entry.name,
        data: dataName(entry.evaluation),
        reference: references.has(entry.name),
      })),
      set,
      drawn: reported.map((one) => {
        const { name, data, sides, before, after } = drawnComparison(one);
        return { name, data, sides: [...sides], before, after };
      }),
      series: [...series],
      set_aside: setAside,
      unreadable: found.unreadable,
      training: here.map(({ name, run }) => ({ ref: this.ref(run.folder), name })),
      notes: [
        ...found.opened.notes,
        ...training
          .filter((one) => !here.includes(one))
          .map(({ run }) => `${run.folder} lies outside the runs folder, so its curves are not among those shown.`),
      ],
    };
  }

  private trainingOf({ opened, training }: Found): { name: string; run: TrainingRun }[] {
    const runs = new Map<string, TrainingRun>();
    for (const run of [...training, ...opened.evaluations.flatMap(({ run }) => run ?? [])]) runs.set(run.folder, run);
    const names = shortNames([...runs.keys()]);
    return [...runs.values()].map((run, i) => ({ name: names[i] ?? run.record.id, run }));
  }

  async contamination(choice: CompareChoice): Promise<{ text: string; overlap: boolean }[]> {
    const { kept: comparable } = await this.measure(choice);
    return contaminationSentences(await checkContamination(comparable.evaluations));
  }

  async settings(choice: CompareChoice): Promise<{ evaluations: NamedDifference; training: NamedDifference }> {
    const { found } = await this.measure(choice);
    const named = (entries: readonly { name: string; settings: Record<string, unknown> }[]): NamedDifference => ({
      names: entries.map(({ name }) => name),
      ...settingsDifference(entries.map(({ settings }) => settings)),
    });
    return {
      evaluations: named(found.opened.evaluations.map((entry) => ({ name: entry.name, settings: settingsOf(entry) }))),
      training: named(this.trainingOf(found).map(({ name, run }) => ({ name, settings: trainingSettings(run) }))),
    };
  }

  /** Both sides of a comparison. Errors: InputError where there is none of this name. */
  async pair(choice: CompareChoice, after: string): Promise<{ before: OpenedEvaluation; after: OpenedEvaluation }> {
    const { kept: comparable, set } = await this.measure(choice);
    const find = (name: string | undefined) => comparable.evaluations.find((entry) => entry.name === name);
    const [first, second] = [find(set?.holm.find((row) => row.name === after)?.reference), find(after)];
    if (first !== undefined && second !== undefined) return { before: first, after: second };
    throw new InputError(`${after} is not compared with anything here; choose another of the table`, 'after');
  }

  /** The report as the command line writes it. Errors: InputError where there is nothing to compare. */
  async report(choice: CompareChoice): Promise<string> {
    const { found, kept: comparable, set } = await this.measure(choice);
    if (set === null) throw new InputError('a report needs two evaluations or more that can be compared', 'with');
    const contamination = await checkContamination(comparable.evaluations);
    const isPair = comparable.evaluations.length === 2;
    const refs = comparable.evaluations.map((entry) => this.ref(entry.ref));
    const reference = comparable.evaluations.find((entry) => entry.name === set.reference);
    const command = [
      'medlogictrace compare',
      ...refs.map((ref) => word(this.path(ref))),
      ...(reference === undefined || reference === comparable.evaluations[0] ? [] : ['--reference', word(reference.ref)]),
      ...choice.allow.map((name) => `--allow ${name}`),
    ];
    const report = await reportOf({
      set: comparable,
      comparisons: isPair ? set.comparisons.map((one) => ({ ...one, contamination })) : set.comparisons,
      all: isPair ? null : { ...set, contamination },
      runs: this.runsDir,
      trainingRuns: found.training.map(({ folder }) => folder),
      command: command.join(' '),
    });
    return renderReport(report);
  }
}

/** Quoted for a POSIX shell where it needs it. */
const word = (text: string): string => (/^[\w./:=,@+-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`);

/** As `Kept.get`; what failed is not kept. */
async function kept<T>(values: Kept<Promise<T>>, key: string, make: () => Promise<T>): Promise<T> {
  try {
    return await values.get(key, make);
  } catch (error) {
    values.drop(key);
    throw error;
  }
}
