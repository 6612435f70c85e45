/** What this app remembers of pods: `pods.json` in the home folder. Money that was counted outlives the app. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { parseInput, parseJson } from '../../../shared/parse-input.ts';
import { PodGuardView, PodId } from '../../../shared/pods.ts';
import { homeFolder } from '../../data/location.ts';
import { writeUserFile } from '../user-file.ts';

export const LedgerPod = z.object({
  name: z.string(),
  /** The order that made it; null: another program did. */
  request: z.string().nullable(),
  machine: z.string().nullable(),
  budget_usd: z.number().nullable(),
  idle_minutes: z.number().nullable(),
  /** By when each began. */
  sessions: z.record(z.string(), z.object({ seconds: z.number(), usd: z.number() })),
  /** What RunPod had billed when it was asked last. */
  billed: z.object({ usd: z.number(), until: z.string() }).nullable().default(null),
  /** When its GPUs were first seen doing nothing, by this computer's clock; null while they work. */
  idle_since: z.string().nullable(),
  guard: PodGuardView.shape.state.default(null),
  guard_seen: z.string().nullable().default(null),
});
export type LedgerPod = z.infer<typeof LedgerPod>;

const Ledger = z.object({ version: z.literal(1), pods: z.record(PodId, LedgerPod) });
type Ledger = z.infer<typeof Ledger>;

export const unknownPod = (name: string): LedgerPod => ({
  name,
  request: null,
  machine: null,
  budget_usd: null,
  idle_minutes: null,
  sessions: {},
  billed: null,
  idle_since: null,
  guard: null,
  guard_seen: null,
});

export class PodLedger {
  private readonly path: string;
  private last: Promise<unknown> = Promise.resolve();

  constructor(path: string = join(homeFolder(), 'pods.json')) {
    this.path = path;
  }

  /** Errors: an InputError where the file cannot be understood: it says what was spent, and is not thrown away. */
  async read(): Promise<Record<string, LedgerPod>> {
    const text = await readFile(this.path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return null;
      throw error;
    });
    return text === null ? {} : parseInput(Ledger, parseJson(text, this.path), this.path).pods;
  }

  /** One change after the other. `make` gives what a pod's entry becomes; an answer equal to what was there writes nothing. */
  change(make: (before: Record<string, LedgerPod>) => Record<string, LedgerPod>): Promise<Record<string, LedgerPod>> {
    const next = this.last
      .catch(() => undefined)
      .then(async () => {
        const before = await this.read();
        const pods = make(structuredClone(before));
        const ledger: Ledger = { version: 1, pods };
        if (JSON.stringify(pods) !== JSON.stringify(before)) await writeUserFile(this.path, `${JSON.stringify(ledger, null, 2)}\n`);
        return pods;
      });
    this.last = next;
    return next;
  }
}
