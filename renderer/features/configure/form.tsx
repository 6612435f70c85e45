/** The form: groups of settings, the common few first, the rest folded. */
import { Button } from '@mantine/core';
import { useState } from 'react';
import { type Draft, fieldsOf, isAsked } from '../../../shared/config-draft.ts';
import type { FormField } from '../../../shared/config-form.ts';
import { type FieldWords, fieldSentence, GROUPS, type GroupId } from '../../../shared/config-groups.ts';
import { FIELD_WORDS } from '../../../shared/config-words.ts';
import { valueAt } from '../../../shared/schema-path.ts';
import { Field, type FormContext } from './field.tsx';
import type { Placed } from './mistakes.ts';

interface Worded {
  field: FormField;
  words: FieldWords;
}

const ORDER = new Map(Object.keys(FIELD_WORDS).map((path, i) => [path, i]));
const GROUP_IDS = Object.keys(GROUPS) as GroupId[];
export const groupId = (group: GroupId): string => `group-${group}`;

/** The settings that are asked for, by group, in the order of their words. */
export function groupsOf(draft: Draft): { group: GroupId; fields: Worded[] }[] {
  const all = fieldsOf(draft.kind)
    .filter((field) => isAsked(draft, field))
    .flatMap((field): Worded[] => {
      const words = FIELD_WORDS[field.path];
      return words === undefined ? [] : [{ field, words }];
    })
    .sort((a, b) => (ORDER.get(a.field.path) ?? 0) - (ORDER.get(b.field.path) ?? 0));
  return GROUP_IDS.map((group) => ({ group, fields: all.filter(({ words }) => words.group === group) })).filter(
    ({ fields }) => fields.length > 0,
  );
}

/** Whether a setting is what was searched for. */
function isFound({ field, words }: Worded, draft: Draft, search: string): boolean {
  const text = `${field.path} ${words.label} ${fieldSentence(words, draft.kind)}`.toLowerCase();
  return search
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}

interface GroupProps {
  group: GroupId;
  fields: readonly Worded[];
  form: FormContext;
  placed: Placed;
  /** While one is searched for nothing is folded. */
  unfolded: boolean;
}

function Group({ group, fields, form, placed, unfolded }: GroupProps) {
  const [open, setOpen] = useState(false);
  const common = fields.filter(({ words }) => words.common);
  const rest = fields.filter(({ words }) => !words.common);
  const isWrong = rest.some(({ field }) => placed.at.has(field.path));
  const set = rest.filter(({ field }) => valueAt(form.draft, field.path.split('.')) !== undefined).length;
  const shown = open || isWrong || unfolded;
  const row = ({ field, words }: Worded) => (
    <Field key={field.path} field={field} words={words} mistakes={placed.at.get(field.path) ?? []} form={form} />
  );
  return (
    <section className="card configure-group" aria-labelledby={groupId(group)}>
      <h2 id={groupId(group)} tabIndex={-1}>
        {GROUPS[group]}
      </h2>
      {common.map(row)}
      {rest.length > 0 && !unfolded ? (
        <Button
          variant="subtle"
          size="compact-xs"
          className="configure-fold"
          aria-expanded={shown}
          disabled={isWrong}
          onClick={() => setOpen(!open)}
        >
          {shown ? 'Fold' : 'Show'} {rest.length} more{set > 0 ? `, ${set} of them set` : ''}
        </Button>
      ) : null}
      {shown ? rest.map(row) : null}
    </section>
  );
}

export function Form({ form, placed, search }: { form: FormContext; placed: Placed; search: string }) {
  const groups = groupsOf(form.draft)
    .map(({ group, fields }) => ({ group, fields: search === '' ? fields : fields.filter((one) => isFound(one, form.draft, search)) }))
    .filter(({ fields }) => fields.length > 0);
  return (
    <>
      {groups.map(({ group, fields }) => (
        <Group key={group} group={group} fields={fields} form={form} placed={placed} unfolded={search !== ''} />
      ))}
      {groups.length === 0 ? <p className="quiet configure-nothing">No setting has “{search}” in its name or its sentence.</p> : null}
    </>
  );
}
