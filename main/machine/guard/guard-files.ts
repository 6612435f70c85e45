/** The files of a guard's folder. */
import { appendFileSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseInput, parseJson } from '../../../shared/parse-input.ts';
import { GuardConfig, GuardEntry, GuardState } from '../../../shared/pod-guard.ts';
import { parseJsonl } from '../../../shared/run-lines.ts';

export class GuardFiles {
  readonly folder: string;
  private seq: number | null = null;

  constructor(folder: string) {
    this.folder = folder;
  }

  private text(name: string): string | null {
    try {
      return readFileSync(join(this.folder, name), 'utf8');
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
      throw error;
    }
  }

  /** Null where there is none. Errors: an InputError that names the field. */
  config(): GuardConfig | null {
    const text = this.text('guard.json');
    return text === null ? null : parseInput(GuardConfig, parseJson(text, 'guard.json'), 'guard.json');
  }

  /** Null where there is none, or none that can be read: a guard must start all the same. */
  state(): GuardState | null {
    try {
      return GuardState.parse(JSON.parse(this.text('guard-state.json') ?? 'null'));
    } catch {
      return null;
    }
  }

  write(state: GuardState): void {
    const path = join(this.folder, 'guard-state.json');
    writeFileSync(`${path}.tmp`, `${JSON.stringify(state)}\n`);
    renameSync(`${path}.tmp`, path);
  }

  /** A journal that the disk does not take must not keep the pod running. */
  note(what: GuardEntry['what'], text: string, spent: number): void {
    try {
      this.seq ??= (parseJsonl(this.text('guard-journal.jsonl') ?? '', GuardEntry).rows.at(-1)?.seq ?? -1) + 1;
      const entry: GuardEntry = { seq: this.seq++, time: new Date().toISOString(), what, text: text.slice(0, 1000), spent_usd: spent };
      appendFileSync(join(this.folder, 'guard-journal.jsonl'), `${JSON.stringify(entry)}\n`);
    } catch (error) {
      console.error(`journal: ${error instanceof Error ? error.message : String(error)}`);
    }
    console.log(`${new Date().toISOString()} ${what}: ${text}`);
  }
}
