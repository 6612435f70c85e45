/** Which field says which mistake. */
import { type Draft, fieldsOf, isAsked } from '../../../shared/config-draft.ts';
import type { FormField } from '../../../shared/config-form.ts';
import type { Mistake } from '../../../shared/parse-input.ts';
import { valueAt } from '../../../shared/schema-path.ts';

export interface ShownMistake {
  /** Dotted path of what is wrong. */
  field: string;
  /** What to do about it. */
  text: string;
}

export interface Placed {
  /** By the path of the form's field. */
  at: ReadonlyMap<string, readonly ShownMistake[]>;
  /** Of settings that the form has no field for. */
  elsewhere: readonly Mistake[];
}

/** `rewards[0].name` as `rewards.0.name`. */
const dots = (path: string): string => path.replaceAll(/\[(\d+)\]/g, '.$1');

function holder(draft: Draft, path: string): FormField | undefined {
  const fields = fieldsOf(draft.kind).filter((field) => isAsked(draft, field));
  return (
    fields.find((field) => field.path === path) ??
    fields.find(({ path: own, kind }) => (kind === 'rewards' || kind === 'numbers') && path.startsWith(`${own}.`))
  );
}

const sentence = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** `told`: what the services said against the config, at the field that they name. */
export function place(draft: Draft, mistakes: readonly Mistake[], told: Mistake | null): Placed {
  const at = new Map<string, ShownMistake[]>();
  const elsewhere: Mistake[] = [];
  for (const mistake of told === null ? mistakes : [...mistakes, told]) {
    const path = dots(mistake.field);
    const field = holder(draft, path);
    if (field === undefined || (mistake.unknown && field.path === path)) {
      elsewhere.push(mistake);
      continue;
    }
    const missing = mistake !== told && valueAt(draft, path.split('.')) === undefined;
    const text = missing ? 'This is needed' : sentence(mistake.rule === '' ? mistake.text : mistake.rule);
    at.set(field.path, [...(at.get(field.path) ?? []), { field: path, text }]);
  }
  return { at, elsewhere };
}
