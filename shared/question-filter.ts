/** Conditions that pick questions: `subject=Anatomy`, `length>200`, `question~pregnan`. */
import { z } from 'zod';
import { InputError } from './input-error.ts';
import type { Question } from './question.ts';

export const Condition = z.object({
  /** `id`, `split`, `kind`, `gold`, `question`, `length` (characters of the question), `options`, `contexts` (how many), or `meta.<fact>`. */
  field: z.string(),
  /** `=` and `!=` compare text, `~` looks for it in any case, the others compare numbers. */
  op: z.enum(['=', '!=', '~', '<', '<=', '>', '>=']),
  value: z.string(),
});
export type Condition = z.infer<typeof Condition>;

/** Fields whose values are numbers. */
export const COUNTED = ['length', 'options', 'contexts'] as const;
const TEXTS = ['id', 'split', 'kind', 'gold', 'question'] as const;
const OWN: readonly string[] = [...COUNTED, ...TEXTS];

/** What is read as a number, here and in the store: nothing else does compare with `<` or `>`. */
export const NUMBER_PATTERN = '^-?[0-9]+([.][0-9]+)?$';
const NUMBER = new RegExp(NUMBER_PATTERN);

/** A condition as it is typed; a field that no question has by itself means a fact of its `meta`. Errors: InputError. */
export function parseCondition(text: string): Condition {
  const found = /^\s*([\w.-]+)\s*(!=|<=|>=|=|<|>|~)\s*([\s\S]*?)\s*$/.exec(text);
  const [, name = '', op = '', value = ''] = found ?? [];
  if (found === null || value === '') {
    throw new InputError(
      `condition "${text}" is not FIELD OP VALUE with = != ~ < <= > or >=; for example subject=Anatomy or "length>200"`,
      'where',
    );
  }
  const field = OWN.includes(name) || name.startsWith('meta.') ? name : `meta.${name}`;
  if (/[<>]/.test(op) && !NUMBER.test(value))
    throw new InputError(`condition "${text}": ${op} compares numbers, and "${value}" is none`, 'where');
  if ((COUNTED as readonly string[]).includes(field) && op !== '~' && !NUMBER.test(value)) {
    throw new InputError(`condition "${text}": ${field} is a number, and "${value}" is none`, 'where');
  }
  return { field, op: op as Condition['op'], value };
}

function fieldValue(q: Question, field: string): string | null {
  switch (field) {
    case 'length':
      return String(q.question.length);
    case 'options':
      return String(q.options?.length ?? 0);
    case 'contexts':
      return String(q.contexts?.length ?? 0);
    case 'id':
    case 'split':
    case 'kind':
    case 'gold':
    case 'question':
      return q[field];
    default:
      return q.meta?.[field.slice('meta.'.length)] ?? null;
  }
}

/** Lower case of ASCII letters alone, so that the store's SQL and this agree on every text. */
const lower = (text: string): string => text.replace(/[A-Z]/g, (c) => c.toLowerCase());

/** Whether a question meets a condition. A fact that it lacks meets none but `!=`. */
export function meets(q: Question, { field, op, value }: Condition): boolean {
  const has = fieldValue(q, field);
  if (has === null) return op === '!=';
  if (op === '=') return has === value;
  if (op === '!=') return has !== value;
  if (op === '~') return lower(has).includes(lower(value));
  if (!NUMBER.test(has)) return false;
  const [a, b] = [Number(has), Number(value)];
  return op === '<' ? a < b : op === '<=' ? a <= b : op === '>' ? a > b : a >= b;
}

/** The condition as it was typed. */
export const conditionText = ({ field, op, value }: Condition): string => `${field.replace(/^meta\./, '')}${op}${value}`;
