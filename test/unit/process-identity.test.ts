import { describe, expect, it } from 'vitest';
import { thisSystem } from '../../main/machine/system-probe.ts';
import {
  formatIdentity,
  identify,
  type Place,
  type ProcessIdentity,
  parseIdentity,
  parseProcStat,
  parsePs,
  presence,
  type SystemProbe,
} from '../../shared/process-identity.ts';

const place: Place = { boot: 'boot-1', machine: 'machine-1', namespace: 'pid:[1]' };
const record: ProcessIdentity = { pid: 77, start: '1000', ...place };
const stat = (state: string, start: string) => `77 (a) b (c) ${state} ${'0 '.repeat(18)}${start} 0 0`;

const system = (more: Partial<SystemProbe> = {}): SystemProbe => ({
  platform: 'linux',
  readText: () => stat('S', '1000'),
  readLink: () => null,
  run: () => null,
  exists: () => true,
  here: () => place,
  ...more,
});

describe('presence', () => {
  it('knows its own kind', () => expect(presence(record, system())).toBe('alive'));
  it('takes a reused pid for another process (bug: a run counts as live for ever because its number was given out again)', () =>
    expect(presence(record, system({ readText: () => stat('S', '2000') }))).toBe('gone'));
  it('takes a zombie for gone (bug: a killed child whose parent has not looked yet counts as live)', () =>
    expect(presence(record, system({ readText: () => stat('Z', '1000') }))).toBe('gone'));
  it('takes a reboot for proof, another machine for none (bug: a run on a shared disk is declared dead by its neighbour)', () => {
    expect(presence(record, system({ here: () => ({ ...place, boot: 'boot-2' }) }))).toBe('gone');
    expect(presence(record, system({ here: () => ({ ...place, boot: 'boot-2', machine: 'machine-2' }) }))).toBe('unknown');
  });
  it('proves nothing about another container (bug: the same number there means another process)', () =>
    expect(presence(record, system({ here: () => ({ ...place, namespace: 'pid:[2]' }), exists: () => false }))).toBe('unknown'));
  it('proves nothing where a process is there but hidden', () =>
    expect(presence(record, system({ readText: () => null }))).toBe('unknown'));
  it('needs no start time to see that nobody has the number', () =>
    expect(presence({ ...record, start: null }, system({ exists: () => false }))).toBe('gone'));
});

describe('reading the system', () => {
  it('finds its way past a process name with brackets and blanks', () =>
    expect(parseProcStat(stat('R', '123'))).toEqual({ state: 'R', start: '123' }));
  it('reads the ps of macOS', () =>
    expect(parsePs('Ss   Sun Nov 22  9:30:12 2026    \n')).toEqual({ state: 'S', start: 'Sun Nov 22 9:30:12 2026' }));
  it('sees this very process here', () => {
    const me = identify(process.pid, thisSystem);
    expect(me.start).not.toBeNull();
    expect(presence(me, thisSystem)).toBe('alive');
    expect(presence({ ...me, start: '1' }, thisSystem)).toBe('gone');
  });
});

describe('the pid file', () => {
  it('comes back as it was written, unknown parts included', () => {
    expect(parseIdentity(formatIdentity(record))).toEqual(record);
    expect(parseIdentity(formatIdentity({ ...record, start: null, namespace: null }))).toEqual({ ...record, start: null, namespace: null });
    expect(formatIdentity(record).split('\n').slice(0, 3)).toEqual(['77', '1000', 'boot-1']);
  });
  it('is refused half-written (bug: pid 12345 read as 123)', () => {
    const text = formatIdentity(record);
    for (let length = 0; length < text.length; length++) expect(parseIdentity(text.slice(0, length))).toBeNull();
  });
});
