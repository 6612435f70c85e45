/** A question that the user types, in one of the forms that the grader knows. */
import { Select, Textarea, TextInput } from '@mantine/core';
import { useState } from 'react';
import type { Question } from '../../../shared/question.ts';

const FORMS = [
  { value: 'number', label: 'a number' },
  { value: 'letter', label: 'one of several options' },
  { value: 'word', label: 'yes, no or maybe' },
];

interface Typed {
  question: string;
  form: string;
  options: string;
  unit: string;
}

/** Null where something is missing yet. */
function questionOf({ question, form, options, unit }: Typed): Question | null {
  const base = { id: 'typed', dataset: 'typed', split: 'typed', gold: '', question: question.trim() };
  if (base.question === '') return null;
  if (form === 'letter') {
    const lines = options.split('\n').flatMap((line) => (line.trim() === '' ? [] : [line.trim()]));
    return lines.length < 2 ? null : { ...base, kind: 'letter', options: lines };
  }
  if (form === 'word') return { ...base, kind: 'word', words: ['yes', 'no', 'maybe'] };
  return { ...base, kind: 'number', unit: unit.trim() === '' ? null : unit.trim() };
}

export function TypedQuestion({ onChange }: { onChange: (question: Question | null) => void }) {
  const [typed, setTyped] = useState<Typed>({ question: '', form: 'number', options: '', unit: '' });
  const change = (part: Partial<Typed>): void => {
    const next = { ...typed, ...part };
    setTyped(next);
    onChange(questionOf(next));
  };
  return (
    <div className="try-choice">
      <Textarea
        label="Question"
        placeholder="A child of 12 kg needs 5 mg/kg of a drug. How many mg is that?"
        autosize
        minRows={2}
        maxRows={10}
        value={typed.question}
        onChange={(event) => change({ question: event.currentTarget.value })}
      />
      <div className="try-row">
        <Select
          label="The answer is"
          allowDeselect={false}
          data={FORMS}
          value={typed.form}
          onChange={(form) => change({ form: form ?? 'number' })}
        />
        {typed.form === 'number' ? (
          <TextInput
            label="In the unit"
            placeholder="none"
            value={typed.unit}
            onChange={(event) => change({ unit: event.currentTarget.value })}
          />
        ) : null}
      </div>
      {typed.form === 'letter' ? (
        <Textarea
          label="Options, one a line"
          description="At least two; they are lettered from A."
          autosize
          minRows={3}
          maxRows={12}
          value={typed.options}
          onChange={(event) => change({ options: event.currentTarget.value })}
        />
      ) : null}
    </div>
  );
}
