/** What a kind of data file is to the importer and to `openDataset`: how its rows are recognised and how one becomes a question. */
import type { Question } from '../../shared/question.ts';
import type { RawRow } from './raw-row.ts';

export interface RowReader {
  /** The question of a row whose value could be read. `split` goes into it. Throws BadRow. A gold that the source withholds is ''. */
  question(raw: RawRow, split: string): Question;
  /** Throws InputError for what only the whole file shows. */
  finish?(): void;
}

export interface Adapter {
  kind: string;
  /** Whether a file whose first readable row this is, is of this kind. */
  fits(raw: RawRow): boolean;
  /**
   * A reader for one file. `rows` gives the file from its start, for kinds that must look ahead; they read no further than they need.
   * Throws InputError where the file cannot be understood.
   */
  reader(rows: () => AsyncIterable<RawRow[]>, name: string, options: ReadOptions): Promise<RowReader>;
}

export interface ReadOptions {
  /** MedMCQA: what the labels count from, where the file itself does not show it. */
  labelsFrom?: 0 | 1;
  /** What is kept for ever must not rest on a guess: labels that the file does not tell are refused. @default false */
  certain?: boolean;
}

/** A field of a row, undefined where the row is no object or lacks it. */
export const fieldOf = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;

/** `split:row`, rows from 0: the id of a row whose source gives none. */
export const rowId = (raw: RawRow, split: string): string => `${split}:${raw.row - 1}`;
