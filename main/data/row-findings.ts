/** What was found in the rows of a file: the first findings whole, all of them counted by reason. */
import type { RowFindings, RowProblem } from '../../shared/dataset-import.ts';
import type { BadRow } from './bad-row.ts';
import type { RawRow } from './raw-row.ts';

/** How many are kept whole: a file that is wrong throughout must not fill memory. */
const KEPT = 100;

export class Findings {
  private readonly found: RowFindings = { total: 0, by_reason: {}, first: [] };

  get total(): number {
    return this.found.total;
  }

  add(finding: RowProblem): void {
    this.found.total++;
    this.found.by_reason[finding.reason] = (this.found.by_reason[finding.reason] ?? 0) + 1;
    if (this.found.first.length < KEPT) this.found.first.push(finding);
  }

  /** A row that cannot become a question. */
  problem({ row, line }: RawRow, id: string | null, { field, value, reason, fix }: BadRow): void {
    this.add({ row, line, id, field: field ?? null, value, reason, fix });
  }

  result(): RowFindings {
    return this.found;
  }
}
