/** What commands say, where, and how they are stopped. */
import { CommanderError } from 'commander';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { Interrupted, type SignalSource, watchInterrupt } from '../../main/commands/interrupt.ts';
import { createIo } from '../../main/commands/io.ts';
import { countOption, decimalNumber, seedOption } from '../../main/commands/options.ts';
import { outcomeOf, RunFailed } from '../../main/commands/outcome.ts';
import { estimateLeft, formatDuration, startProgress } from '../../main/commands/progress.ts';
import { InputError } from '../../shared/input-error.ts';

function sink(isTTY = false, columns = 80) {
  const written: string[] = [];
  return { isTTY, columns, written, write: (text: string) => written.push(text) };
}

describe('io', () => {
  const both = (json: boolean) => {
    const [stdout, stderr] = [sink(), sink()];
    return { io: createIo(json, new AbortController().signal, { stdout, stderr }), stdout, stderr };
  };

  test('with --json standard output is one document and a line for people goes elsewhere (else no program could parse it)', () => {
    const { io, stdout, stderr } = both(true);
    io.print('a line for people');
    io.note('a note');
    io.out({ n: 1 }, 'a table');
    expect(JSON.parse(stdout.written.join(''))).toEqual({ n: 1 });
    expect(stderr.written).toEqual(['a line for people\n', 'a note\n']);
    expect(() => io.out({ n: 2 })).toThrow('one JSON document');
  });

  test('an error after the document adds no second one', () => {
    const { io, stdout } = both(true);
    io.out({ n: 1 });
    io.fail({ error: {} });
    expect(stdout.written).toHaveLength(1);
  });

  test('without --json the text is shown, and the document only where there is none', () => {
    const { io, stdout } = both(false);
    io.out({ n: 1 }, () => 'a table');
    io.out({ n: 1 });
    expect(stdout.written).toEqual(['a table\n', '{\n  "n": 1\n}\n']);
  });
});

describe('progress', () => {
  test('elsewhere than on a terminal one plain line every ten seconds (a log with a line a token is unreadable)', () => {
    const out = sink();
    let now = 0;
    const bar = startProgress('training', 56, out, () => now);
    for (let step = 1; step <= 30; step++) {
      now = step * 1000;
      bar.update(step, { note: `reward 0.${step}` });
    }
    expect(out.written).toHaveLength(3);
    expect(out.written[1]).toBe('training  11/56  19 %  45 s left  reward 0.11\n');
    bar.finish();
    bar.finish();
    expect(out.written.at(-1)).toBe('training  30/56  took 30 s\n');
    expect(out.written).toHaveLength(4);
  });

  test('on a terminal the line is redrawn in place and never wraps (a wrapped line leaves its first half standing)', () => {
    const out = sink(true, 40);
    let now = 1000;
    const bar = startProgress('evaluating', 500, out, () => now);
    bar.update(250, { note: 'a note that is much longer than the terminal is wide' });
    now += 50;
    bar.update(251);
    expect(out.written).toHaveLength(1);
    const erase = '\r\u001b[2K';
    expect(out.written[0]?.startsWith(erase)).toBe(true);
    expect(out.written[0]?.slice(erase.length)).toHaveLength(39);
  });

  test('the worker’s own estimate of the time left comes before ours, and an old one is not kept', () => {
    const out = sink();
    let now = 0;
    const bar = startProgress('run', 10, out, () => now);
    now = 10_000;
    bar.update(1, { seconds_left: 3725 });
    now = 20_000;
    bar.update(2);
    expect(out.written[0]).toContain('1:02:05 left');
    expect(out.written[1]).toContain('1:20 left');
  });

  test('no time is promised before something is done or without a total', () => {
    expect(estimateLeft(0, 10, 5)).toBeNull();
    expect(estimateLeft(5, null, 5)).toBeNull();
    expect(estimateLeft(5, 10, 5)).toBe(5);
  });

  test('durations round without a 60th second', () => {
    expect([0.4, 59.4, 59.6, 3599.7].map(formatDuration)).toEqual(['0 s', '59 s', '1:00', '1:00:00']);
  });
});

describe('Ctrl-C', () => {
  function watch() {
    const listeners = new Map<string, (signal: NodeJS.Signals) => void>();
    const exits: number[] = [];
    let time = 0;
    const source: SignalSource = {
      on: (name, listener) => listeners.set(name, listener),
      off: (name) => listeners.delete(name),
      exit: (code) => exits.push(code),
    };
    const said: string[] = [];
    const interrupt = watchInterrupt(
      (text) => said.push(text),
      source,
      () => time,
    );
    const send = (name: NodeJS.Signals, at: number) => {
      time = at;
      listeners.get(name)?.(name);
    };
    return { interrupt, exits, said, send, listeners };
  }

  test('the first asks for a clean stop, the second ends the process', () => {
    const { interrupt, exits, said, send } = watch();
    send('SIGINT', 0);
    expect(interrupt.signal.reason).toBeInstanceOf(Interrupted);
    expect(exits).toEqual([]);
    expect(said).toHaveLength(1);
    send('SIGINT', 1000);
    expect(exits).toEqual([130]);
  });

  test('one key press that arrives twice, from the terminal and from the parent process, is one (else it would always kill)', () => {
    const { exits, send } = watch();
    send('SIGINT', 0);
    send('SIGINT', 20);
    expect(exits).toEqual([]);
  });

  test('the handlers come off again', () => {
    const { interrupt, listeners } = watch();
    interrupt.dispose();
    expect(listeners.size).toBe(0);
  });
});

describe('exit codes', () => {
  test.each([
    [new InputError('no such file', '--data'), 2, 'no such file'],
    [new RunFailed('3 of 5 seeds failed'), 1, '3 of 5 seeds failed'],
    [new TypeError('a mistake of ours'), 1, 'a mistake of ours'],
    [
      new CommanderError(1, 'commander.unknownOption', "error: unknown option '--lmit'\n(Did you mean --limit?)"),
      2,
      "unknown option '--lmit' (Did you mean --limit?)",
    ],
    [new CommanderError(0, 'commander.helpDisplayed', '(outputHelp)'), 0, null],
    [new Interrupted('SIGINT'), 130, 'stopped by Ctrl-C'],
    [new Interrupted('SIGTERM'), 143, 'stopped by SIGTERM'],
    [new DOMException('This operation was aborted', 'AbortError'), 130, 'stopped'],
  ])('%s', (thrown, exit, message) => {
    expect(outcomeOf(thrown)).toMatchObject({ exit, message });
  });

  test('a schema’s error is the user’s, and is told in one line', () => {
    const { error } = z.object({ seed: z.number() }).safeParse({ seed: 'x' });
    const { exit, message } = outcomeOf(error);
    expect(exit).toBe(2);
    expect(message).toBe('input: "seed": expected number');
  });
});

describe('option values', () => {
  test.each(['-1', '0', '1.5', '', 'ten', '1e3', '0x10'])('--limit %s is refused', (text) => {
    expect(() => countOption(text)).toThrow('Give a whole number of at least 1.');
  });

  test('what is right comes through', () => {
    expect(countOption('500')).toBe(500);
    expect(seedOption('0')).toBe(0);
    expect(() => seedOption('4294967296')).toThrow('from 0 to 4294967295');
    expect(decimalNumber(0, 1)('0.5')).toBe(0.5);
    expect(() => decimalNumber(0, 1)('')).toThrow('from 0 to 1');
    expect(() => decimalNumber(0, 1)('NaN')).toThrow('from 0 to 1');
  });
});
