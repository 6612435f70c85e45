/** What stopping, pausing or losing a run would mean now. */
import { join } from 'node:path';
import { parseJsonl } from '../../shared/run-lines.ts';
import type { RunRisk } from '../../shared/run-live.ts';
import { ControlLine } from '../../shared/run-record.ts';
import type { RunState } from '../../shared/run-view.ts';
import type { RunIndex } from './run-index.ts';
import { textOf } from './text-file.ts';

/** Errors: the system's, where control.jsonl cannot be read. */
export async function runRisk(folder: string, index: RunIndex, state: RunState): Promise<RunRisk> {
  const { rows } = parseJsonl((await textOf(join(folder, 'control.jsonl'))) ?? '', ControlLine);
  const asked = rows.at(-1);
  const last = index.training.last();
  const checkpoint = index.marks.findLast(({ what }) => what === 'checkpoint');
  // What was asked of an earlier process is not asked of this one.
  const current = asked !== undefined && Date.parse(asked.time) >= (index.processBegan ?? 0);
  const since = checkpoint?.time ?? index.processBegan ?? index.began;
  return {
    paused: state.state !== 'exited' && rows.findLast(({ verb }) => verb === 'pause' || verb === 'resume')?.verb === 'pause',
    asked: current ? { verb: asked.verb, time: asked.time } : null,
    step: last?.step ?? null,
    checkpoint_step: checkpoint?.step ?? null,
    seconds_since: last === null || since === null ? null : Math.max(0, (last.time - since) / 1000),
    resumable: state.state === 'exited' && !index.finished && (state.exit?.code !== 0 || index.stopping),
  };
}
