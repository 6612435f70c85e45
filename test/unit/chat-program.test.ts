/** What the Jinja engine does otherwise than Python, and templates that would not come to an end. */
import { describe, expect, it } from 'vitest';
import { compileChatTemplate, pythonStrip } from '../../main/policy/chat-program.ts';

const render = (source: string, variables: Record<string, unknown> = {}): string => compileChatTemplate(source)(variables);

describe('strip', () => {
  // Catches: characters that are not looked at, as Qwen3's template needs them, and JavaScript's notion of white space.
  it.each([
    ["{{ x.lstrip('\\n') }}", '\n\n a \n', ' a \n'],
    ["{{ x.rstrip('\\n') }}", '\n a\n\n', '\n a'],
    ["{{ x.strip('ab') }}", 'abcabcab', 'cabc'],
    ['{{ x.strip() }}', '\u0085\u001c a\ufeff \n', 'a\ufeff'],
    ['{{ x | trim }}', '\u0085 a \u2003', 'a'],
    ["{{ x | trim('-') }}", '--a-', 'a'],
    ["{{ x.split('|')[-1].lstrip('\\n').rstrip() }}", 'q|\n\n a ', ' a'],
    ["{% for m in [x] %}{% if m.strip() == 'a' %}{{ '[' + m.strip() + ']' }}{% endif %}{% endfor %}", ' a ', '[a]'],
  ])('%s of %j', (source, x, expected) => {
    expect(render(source, { x })).toBe(expected);
  });

  it('goes by characters, not by halves of them', () => {
    expect(pythonStrip('😀a😀', 'strip', '😀')).toBe('a');
    expect(() => render('{{ x.strip() }}', { x: 3 })).toThrow(/strip/);
  });
});

describe('a template that does not come to an end', () => {
  it.each([
    ['{% for i in range(300) %}{% for j in range(600) %}x{% endfor %}{% endfor %}', /loops without end/],
    // What a condition leaves out takes its time too, and so do lists that nobody goes through.
    ['{% for i in range(90) %}{% for j in range(900) if false %}x{% endfor %}{% endfor %}', /loops without end/],
    ['{% for i in range(900) %}{% set all = range(9000) %}{% endfor %}', /loops without end/],
    ['{% for i in range(10 ** 9) %}x{% endfor %}', /counts to 1000000000/],
    ['{% for i in range(0, 1000000000, 2) %}x{% endfor %}', /counts to 500000000/],
    [
      "{% set ns = namespace(s='ab') %}{% for i in range(24) %}{% set ns.s = ns.s + ns.s %}{% endfor %}{{ ns.s }}",
      /makes a text of 16777216 characters/,
    ],
    // Before it takes all memory: 2^60 values.
    [
      '{% set ns = namespace(l=[1]) %}{% for i in range(60) %}{% set ns.l = ns.l + ns.l %}{% endfor %}{{ ns.l | length }}',
      /makes a list of 16384 values/,
    ],
  ])('%s is stopped', (source, message) => {
    expect(() => render(source)).toThrow(message);
  });

  it('is not confused with an ordinary one', () => {
    expect(render('{% for i in range(3) %}{{ loop.index }}{% if not loop.last %},{% endif %}{% endfor %}')).toBe('1,2,3');
    expect(render('{% for i in range(5, 0, -2) %}{{ i }}{% else %}none{% endfor %}')).toBe('531');
    expect(render('{% for i in range(6) if i is odd %}{{ i }}/{{ loop.index }} {% endfor %}')).toBe('1/1 3/2 5/3 ');
    expect(render('{% for i in range(0) %}{{ i }}{% else %}none{% endfor %}')).toBe('none');
    expect(render('{% for k, v in d.items() %}{{ k }}={{ v }};{% endfor %}', { d: { a: 1, b: 2 } })).toBe('a=1;b=2;');
  });
});
