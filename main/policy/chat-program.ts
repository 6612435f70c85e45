/**
 * A chat template as a function. The Jinja engine runs it; before that the template's tree is changed where the engine differs from Python
 * (`strip` with and without characters, `trim`) and where a template could go on without end (loops, `range`): such a template gets an error.
 * So does one whose values grow too large on the way: a list that is doubled in a short loop would take all of the process's memory.
 */
import { Interpreter, Template } from '@huggingface/jinja';

/** Passes through loops, and numbers of ranges, that one rendering may take. */
const MOST_PASSES = 10_000;
/** Characters that one rendering may write, or a value on the way may have. */
const MOST_CHARACTERS = 10_000_000;

// The library has no hook for it; nothing else here uses its interpreter.
const { evaluate } = Interpreter.prototype;
Interpreter.prototype.evaluate = function (...args: Parameters<typeof evaluate>) {
  const result = evaluate.apply(this, args);
  const { value } = result;
  if (typeof value === 'string' && value.length > MOST_CHARACTERS)
    throw new Error(`it makes a text of ${value.length} characters (at most ${MOST_CHARACTERS})`);
  if (Array.isArray(value) && value.length > MOST_PASSES)
    throw new Error(`it makes a list of ${value.length} values, which no conversation needs (at most ${MOST_PASSES})`);
  return result;
};

export type ChatProgram = (variables: Readonly<Record<string, unknown>>) => string;

/** What Python takes for white space: JavaScript's, without U+FEFF and with U+0085 and U+001C to U+001F. */
const PYTHON_SPACE =
  '\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000';

export type Side = 'strip' | 'lstrip' | 'rstrip';

/** Python's `str.strip`, `lstrip` and `rstrip`: takes `characters` off the ends, white space by default. */
export function pythonStrip(text: string, side: Side = 'strip', characters: string = PYTHON_SPACE): string {
  const off = new Set(characters);
  const points = [...text];
  let from = 0;
  let to = points.length;
  if (side !== 'rstrip') while (from < to && off.has(points[from] as string)) from++;
  if (side !== 'lstrip') while (to > from && off.has(points[to - 1] as string)) to--;
  return points.slice(from, to).join('');
}

interface Node {
  type: string;
  [part: string]: unknown;
}
const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';

// Names that no template can write.
const STRIP = ' strip';
const RANGE = ' range';
const PASS = ' pass';
const identifier = (value: string): Node => ({ type: 'Identifier', value });
const call = (name: string, args: unknown[]): Node => ({ type: 'CallExpression', callee: identifier(name), args });
const text = (value: string): Node => ({ type: 'StringLiteral', value });

const nameOf = (node: unknown): string | null =>
  isNode(node) && node.type === 'Identifier' && typeof node.value === 'string' ? node.value : null;
const isSide = (name: string | null): name is Side => name === 'strip' || name === 'lstrip' || name === 'rstrip';

/** The tree with its parts changed, from the leaves up. */
function change(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(change);
  if (value instanceof Map) return new Map([...value].map(([key, part]) => [change(key), change(part)]));
  if (!isNode(value)) return value;
  const node: Node = { type: value.type };
  for (const [part, content] of Object.entries(value)) node[part] = change(content);
  if (node.type === 'For') {
    node.body = [call(PASS, []), ...(node.body as unknown[])];
    // What a condition leaves out is gone through too. A pass is the empty text, which counts as false.
    const { iterable } = node;
    if (isNode(iterable) && iterable.type === 'SelectExpression') {
      iterable.test = { type: 'BinaryExpression', operator: { value: 'or' }, left: call(PASS, []), right: iterable.test };
    }
  }
  if (node.type === 'CallExpression') {
    const { callee } = node;
    const args = node.args as unknown[];
    if (nameOf(callee) === 'range') return call(RANGE, args);
    if (isNode(callee) && callee.type === 'MemberExpression' && callee.computed === false) {
      const side = nameOf(callee.property);
      if (isSide(side)) return call(STRIP, [callee.object, text(side), ...args]);
    }
  }
  if (node.type === 'FilterExpression') {
    const { filter, operand } = node;
    if (nameOf(filter) === 'trim') return call(STRIP, [operand, text('strip')]);
    if (isNode(filter) && filter.type === 'CallExpression' && nameOf(filter.callee) === 'trim') {
      return call(STRIP, [operand, text('strip'), ...(filter.args as unknown[])]);
    }
  }
  return node;
}

function strip(value: unknown, side: Side, characters: unknown): string {
  if (typeof value !== 'string') throw new Error(`${side} is for text, not for ${value === null ? 'none' : typeof value}`);
  if (typeof characters !== 'string' && characters !== undefined && characters !== null)
    throw new Error(`${side} takes characters as text`);
  return pythonStrip(value, side, characters ?? undefined);
}

/** Python's `range` as a list. Errors: Error for more numbers than a template may go through. */
function range(...bounds: number[]): number[] {
  const [start, stop, step] = bounds.length === 1 ? [0, bounds[0] as number, 1] : [bounds[0] ?? 0, bounds[1] ?? 0, bounds[2] ?? 1];
  if (step === 0) throw new Error('range() with a step of zero');
  const length = Math.max(0, Math.ceil((stop - start) / step));
  if (!(length <= MOST_PASSES)) throw new Error(`it counts to ${length}, which no conversation needs (at most ${MOST_PASSES})`);
  return Array.from({ length }, (_, i) => start + i * step);
}

/** Errors: Error for a text that is no template; the function throws what the template raises, or when it does not come to an end. */
export function compileChatTemplate(source: string): ChatProgram {
  const template = new Template(source);
  template.parsed = change(template.parsed) as Template['parsed'];
  return (variables) => {
    let passes = 0;
    const pass = (more: number): void => {
      passes += more;
      if (passes > MOST_PASSES) throw new Error(`it loops without end (more than ${MOST_PASSES} passes)`);
    };
    return template.render({
      ...variables,
      [STRIP]: strip,
      [RANGE]: (...bounds: number[]) => {
        const numbers = range(...bounds);
        pass(numbers.length);
        return numbers;
      },
      [PASS]: () => {
        pass(1);
        return '';
      },
    });
  };
}
