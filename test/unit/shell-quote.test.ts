/** The one quoting function, against a real `sh`. */
import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { remoteScript, settingScript } from '../../main/machine/ssh/remote-script.ts';
import { shellQuote, shellWords } from '../../main/machine/ssh/shell-quote.ts';

const sh = (script: string, input = ''): string => {
  const { stdout, stderr, status } = spawnSync('/bin/sh', ['-c', script], { input, encoding: 'utf8' });
  if (status !== 0) throw new Error(`sh ended with ${status}: ${stderr}`);
  return stdout;
};

/** Words that a shell might take apart, mixed with any text. */
const word = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        "'",
        '"',
        '\\',
        '$HOME',
        '`id`',
        '$(id)',
        '\n',
        '\t',
        ' ',
        ';',
        '&',
        '|',
        '>',
        '*',
        '?',
        '[a]',
        '{a,b}',
        '~',
        '!',
        '#',
        '=',
        '-n',
        '%s',
        '\r',
        "'\\''",
      ),
      fc.string({ unit: 'binary' }).map((text) => text.replaceAll('\0', '')),
    ),
    { maxLength: 8 },
  )
  .map((parts) => Buffer.from(parts.join('')).toString());

describe.skipIf(process.platform === 'win32')('quoting for a shell', () => {
  test('any words come out as they went in (bug: a name with a quote becomes a command)', () => {
    fc.assert(
      fc.property(fc.array(fc.array(word, { minLength: 1, maxLength: 40 }), { minLength: 1, maxLength: 4 }), (lists) => {
        // Many words a process: starting one is what takes the time.
        const words = lists.flat();
        expect(sh(`printf '%s\\0' ${shellWords(words)}`)).toBe(words.map((one) => `${one}\0`).join(''));
      }),
      { numRuns: 60 },
    );
  });

  test('a word alone is never an assignment, an option of the shell, or a comment', () => {
    for (const text of ['a=b', '=x', '#x', '~', '~root', '-x', '', '!'])
      expect(sh(`f() { printf %s "$1"; }; f ${shellQuote(text)}`), text).toBe(text);
  });

  test('a NUL, which no argument can hold, is refused', () => {
    expect(() => shellQuote('a\0b')).toThrow(/NUL/);
  });

  test('values of the environment arrive, whatever is in them', () => {
    fc.assert(
      fc.property(
        word.map((text) => text.replaceAll(/[\r\n]/g, '')),
        (value) => {
          expect(sh(`${settingScript({ env: { SOME: value } }).join('\n')}\nprintf %s "$SOME"`)).toBe(value);
        },
      ),
      { numRuns: 20 },
    );
    expect(() => settingScript({ env: { 'A;id': 'x' } })).toThrow(/no name/);
    // The value may be a secret.
    expect(() => settingScript({ env: { TOKEN: 'geheim\nx' } })).toThrow(/^(?!.*geheim).*TOKEN/);
  });

  test('a script goes through standard input, leaves the rest of it, and stands in no argument', () => {
    const { command, preamble, mark } = remoteScript("printf %s 'se\ncret'\ncat");
    expect(command).not.toContain('cret');
    expect(command).not.toMatch(/[\n!]/);
    const [line, ...rest] = sh(`${command} 2>/dev/null`, `${preamble}its own\ninput`).split('\n');
    expect(line).toMatch(new RegExp(`^${mark} \\d+$`));
    expect(rest.join('\n')).toBe('se\ncretits own\ninput');
  });
});
