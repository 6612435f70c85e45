/** The mirror of a run: what a machine tells, in what order, and what is taken of it here. */
import { createHash } from 'node:crypto';
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { watchRuns } from '../../main/machine/run-watch.ts';
import { createRunFolder } from '../../main/runner/create-run.ts';
import { beginMirror } from '../../main/workbench/remote/begin-mirror.ts';
import { AskAgain, Mirror } from '../../main/workbench/remote/mirror.ts';
import { mirroredState } from '../../main/workbench/remote/mirrored-state.ts';
import { mirrorName, newRemote, readRemote } from '../../main/workbench/remote/remote-file.ts';
import { observeRun } from '../../main/workbench/run-state.ts';
import { type RemoteRun, type RunSign, type Watched, WatchFrame } from '../../shared/remote-run.ts';
import { testRecord } from '../fixtures/run-record.ts';

const root = mkdtempSync(join(tmpdir(), 'mlt-mirror-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

let there = '';
let here = '';
let count = 0;
beforeEach(async () => {
  count++;
  there = await createRunFolder(join(root, `there-${count}`), testRecord());
  here = beginMirror(join(root, `here-${count}`), 'node', there, readFileSync(join(there, 'run.json'), 'utf8'));
});

const sha256 = (text: string | Buffer) => createHash('sha256').update(text).digest('hex');
const base64 = (text: string | Uint8Array) => Buffer.from(text).toString('base64');
const line = (seq: number) => `${JSON.stringify({ seq, time: '2026-01-01T00:00:00.000Z', type: 'stopping', step: seq, reason: 'é' })}\n`;

/** What one watching of the folder there tells, checked as it comes over the wire. */
async function told(watched: Watched, lastBytes = 1): Promise<Exclude<WatchFrame, { kind: 'end' }>[]> {
  const frames: WatchFrame[] = [];
  const write = (frame: WatchFrame) => {
    frames.push(WatchFrame.parse(JSON.parse(JSON.stringify(frame))));
    return 1;
  };
  const request = { queue: join(root, 'queue'), runs: [watched], last_ms: 5000, last_bytes: lastBytes, poll_ms: 10 };
  await watchRuns(request, write, new AbortController().signal);
  return frames.filter((frame) => frame.kind !== 'end');
}

async function bringOver(mirror: Mirror): Promise<boolean> {
  let ended = false;
  for (const frame of await told(mirror.watched(0))) ended = mirror.take(frame);
  return ended;
}

const same = (name: string) => expect(readFileSync(join(here, name))).toEqual(readFileSync(join(there, name)));

describe('what a machine tells', () => {
  it('is all that a mirror lacks, the end last (bug: an exit.json that stands before the last events)', async () => {
    appendFileSync(join(there, 'events.jsonl'), line(0) + line(1));
    appendFileSync(join(there, 'log.txt'), 'Überlegung\n');
    writeFileSync(join(there, 'exit.json'), '{"code":0,"signal":null,"reason":"finished","time":"t"}\n');
    writeFileSync(join(there, 'evaluation.json'), '{}\n');
    const frames = await told(new Mirror(here).watched(7));
    expect(frames.every((frame) => frame.key === 7)).toBe(true);
    const names = frames.flatMap((frame) => ('name' in frame ? [frame.name] : []));
    expect(names.toSorted()).toEqual(['evaluation.json', 'events.jsonl', 'exit.json', 'log.txt']);
    expect(names.at(-1)).toBe('exit.json');
    expect(frames.at(-1)).toMatchObject({ kind: 'look', last: true });
  });

  it('never comes through a link, nor from a name that leads elsewhere', async () => {
    writeFileSync(join(root, 'secret'), 'secret');
    symlinkSync(join(root, 'secret'), join(there, 'telemetry.jsonl'));
    symlinkSync(join(root, 'secret'), join(there, 'evaluation.json'));
    writeFileSync(join(there, '.hidden'), 'x');
    writeFileSync(join(there, 'a b'), 'x');
    mkdirSync(join(there, 'folder'));
    expect((await told(new Mirror(here).watched(0))).filter((frame) => frame.kind !== 'look')).toEqual([]);
  });

  it('begins anew where what the mirror has is not how the file begins (bug: two runs joined in one file)', async () => {
    writeFileSync(join(there, 'events.jsonl'), line(0));
    writeFileSync(join(here, 'events.jsonl'), line(5));
    const mirror = new Mirror(here);
    const frames = await told(mirror.watched(0));
    expect(frames).toContainEqual({ kind: 'differs', key: 0, name: 'events.jsonl' });
    expect(() => frames.forEach((frame) => void mirror.take(frame))).toThrow(AskAgain);
    await bringOver(mirror);
    same('events.jsonl');
    expect(readdirSync(here).some((name) => name.startsWith('.differs-'))).toBe(true);
  });
});

describe('a mirror', () => {
  it('grows by what is new and becomes the same, whatever was torn (bug: bytes that come twice)', async () => {
    const mirror = new Mirror(here);
    const all = line(0) + line(1) + line(2);
    for (const end of [10, 81, 82, Buffer.byteLength(all)]) {
      writeFileSync(join(there, 'events.jsonl'), Buffer.from(all).subarray(0, end));
      expect(await bringOver(new Mirror(here))).toBe(false);
      same('events.jsonl');
    }
    writeFileSync(join(there, 'exit.json'), '{"code":0,"signal":null,"reason":"finished","time":"t"}\n');
    expect(await bringOver(mirror)).toBe(true);
    expect(await observeRun(here)).toMatchObject({ state: 'exited', exit: { code: 0 } });
    // It is resumed there: its end is no more.
    rmSync(join(there, 'exit.json'));
    expect(await bringOver(mirror)).toBe(false);
    expect(existsSync(join(here, 'exit.json'))).toBe(false);
    expect(readRemote(here)).toMatchObject({ gaps: [], offsets: { 'events.jsonl': Buffer.byteLength(all) } });
  });

  it('says which numbers of events are missing', async () => {
    writeFileSync(join(there, 'events.jsonl'), line(0) + line(1));
    await bringOver(new Mirror(here));
    appendFileSync(join(there, 'events.jsonl'), line(3));
    await bringOver(new Mirror(here));
    expect(readRemote(here)?.gaps).toEqual([{ expected: 2, found: 3 }]);
  });

  it('takes nothing out of turn, and no content but what was stated', () => {
    const mirror = new Mirror(here);
    mirror.watched(0);
    const data = base64('x');
    expect(() => mirror.take({ kind: 'grown', key: 0, name: 'log.txt', at: 5, data })).toThrow(AskAgain);
    expect(() => mirror.take({ kind: 'grown', key: 0, name: 'other', at: 0, data })).toThrow(AskAgain);
    expect(() => mirror.take({ kind: 'whole', key: 0, name: 'pid', at: 0, data, sha256: sha256('y') })).toThrow(AskAgain);
    expect(() => mirror.take({ kind: 'whole', key: 0, name: 'pid', at: 3, data, sha256: sha256('x') })).toThrow(AskAgain);
    expect(existsSync(join(here, 'pid'))).toBe(false);
    // Bug: a machine that writes where it likes.
    for (const name of ['../run.json', '/etc/passwd', '.lock-000001', 'a/b', '..', 'a\\b']) {
      expect(WatchFrame.safeParse({ kind: 'whole', key: 0, name, at: 0, data, sha256: sha256('x') }).success, name).toBe(false);
    }
    const before = readFileSync(join(here, 'remote.json'), 'utf8');
    mirror.take({ kind: 'whole', key: 0, name: 'remote.json', at: 0, data, sha256: sha256('x') });
    mirror.take({ kind: 'removed', key: 0, name: 'remote.json' });
    expect(readFileSync(join(here, 'remote.json'), 'utf8')).toBe(before);
  });

  it('leaves the notes of its reader alone', async () => {
    writeFileSync(join(there, 'notes.json'), '{"note":"there","tags":[]}\n');
    const mirror = new Mirror(here);
    await bringOver(mirror);
    same('notes.json');
    writeFileSync(join(here, 'notes.json'), '{"note":"mine","tags":[]}\n');
    writeFileSync(join(there, 'notes.json'), '{"note":"there again","tags":[]}\n');
    await bringOver(mirror);
    expect(readFileSync(join(here, 'notes.json'), 'utf8')).toContain('mine');
  });

  it('is complete only when every file is proved equal (bug: a flipped bit taken for the run)', async () => {
    writeFileSync(join(there, 'events.jsonl'), line(0));
    writeFileSync(join(there, 'exit.json'), '{}\n');
    const mirror = new Mirror(here);
    await bringOver(mirror);
    const proof = (names: string[]) =>
      names.map((name) => {
        const bytes = readFileSync(join(there, name));
        return { name, bytes: bytes.length, sha256: sha256(bytes) };
      });
    const [files, names] = [() => proof(names), ['run.json', 'events.jsonl', 'completions.jsonl', 'exit.json']];
    const bytes = readFileSync(join(here, 'events.jsonl'));
    bytes[3] = (bytes[3] ?? 0) ^ 1;
    writeFileSync(join(here, 'events.jsonl'), bytes);
    expect(mirror.settle(files())).toEqual({ differing: ['events.jsonl'], behind: false });
    expect(readRemote(here)?.complete).toBe(false);
    await bringOver(mirror);
    appendFileSync(join(there, 'events.jsonl'), line(1));
    expect(mirror.settle(files())).toEqual({ differing: [], behind: true });
    await bringOver(mirror);
    expect(mirror.settle(proof(['run.json', 'events.jsonl']))).toEqual({ differing: [], behind: true });
    expect(mirror.settle(files())).toEqual({ differing: [], behind: false });
    expect(readRemote(here)?.complete).toBe(true);
  });

  it('is found again under the name that it was given (bug: a second mirror of one run)', () => {
    const record = readFileSync(join(there, 'run.json'), 'utf8');
    const runs = join(root, `named-${count}`);
    const named = beginMirror(runs, 'node', there, record, 'train');
    expect(named).toBe(join(runs, 'train'));
    expect(beginMirror(runs, 'node', there, record)).toBe(named);
    expect(mirrorName(runs, 'node', there)).toBe('train');
    expect(mirrorName(runs, 'other', there)).toBeNull();
  });

  it('is not made over a run that is another one', async () => {
    const record = readFileSync(join(there, 'run.json'), 'utf8');
    expect(beginMirror(join(root, `here-${count}`), 'node', there, record)).toBe(here);
    expect(() => beginMirror(join(root, `here-${count}`), 'other', there, record)).toThrow(/is a run on node/);
    expect(() => beginMirror(join(root, `there-${count}`), 'node', there, record)).toThrow(/is a run of this machine/);
    const leading = record.replace(/"id": "[^"]*"/, '"id": "../up"');
    expect(() => beginMirror(join(root, 'else'), 'node', there, leading)).toThrow(/refused/);
  });
});

describe('the state of a mirrored run', () => {
  const now = Date.parse('2026-01-01T12:00:00Z');
  const sign: RunSign = { process: 'alive', pid: 5, launcher: 'alive', heartbeat: 9, waiting: null };
  const state = (age: number, more: Partial<RunSign>, rest: Partial<RemoteRun> = {}) =>
    mirroredState(
      { ...newRemote('node', '/r'), sign: { ...sign, ...more }, last_contact: new Date(now - age).toISOString(), ...rest },
      now,
    );

  it.each([
    ['its process is proved to run', state(1000, {}), 'live'],
    ['its heart beats where no process can be seen', state(1000, { process: 'unknown' }, { beating: true }), 'live'],
    ['neither', state(1000, { process: 'unknown' }), 'unverifiable'],
    ['its process is gone and its launcher stands by', state(1000, { process: 'gone' }), 'live'],
    ['both are gone', state(1000, { process: 'gone', launcher: null }), 'exited'],
    ['both were gone an hour ago', state(3_600_000, { process: 'gone', launcher: 'gone' }), 'exited'],
    ['it lived an hour ago', state(3_600_000, {}), 'unverifiable'],
    ["this computer's clock was set back", state(-3_600_000, {}), 'unverifiable'],
    ['it waits for a place', state(1000, { process: 'unknown', waiting: 2 }), 'unverifiable'],
    ['nothing was ever heard', mirroredState(newRemote('node', '/r'), now), 'unverifiable'],
  ])('%s', (_, seen, expected) => expect(seen.state).toBe(expected));

  it('names what it knows and since when', () => {
    expect(state(3_600_000, {})).toMatchObject({
      age_seconds: 3600,
      evidence: expect.stringMatching(/last heard as of \d\d:\d\d; it was live/),
    });
    expect(state(0, { waiting: 2 }).evidence).toContain('place 2');
  });
});
