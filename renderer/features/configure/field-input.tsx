/** The control of each kind of setting. */
import { Autocomplete, type InputWrapperProps, Select, Switch, Textarea } from '@mantine/core';
import type { ReactNode } from 'react';
import type { FormField } from '../../../shared/config-form.ts';
import type { FieldWords } from '../../../shared/config-groups.ts';
import { TypedInput } from './typed-input.tsx';
import { fieldText, typedNumber, typedNumbers } from './typed-number.ts';

export interface FieldInputProps {
  field: FormField;
  words: FieldWords;
  /** What is given; undefined: the default stands. */
  given: unknown;
  change: (value: unknown) => void;
  id: string;
  /** Below the control: what the setting is. */
  says: ReactNode;
  /** What is wrong with it; null where nothing is. */
  wrong: string | null;
  /** What a text is likely to be; it may be anything. */
  suggestions: readonly string[];
}

/** Texts that may have several lines. */
const LONG = new Set(['prompt.prefix', 'prompt.answer_prefix']);
const ORDER: InputWrapperProps['inputWrapperOrder'] = ['input', 'error', 'description'];
const readText = (text: string): string | undefined => (text === '' ? undefined : text);

export function FieldInput({ field, words, given, change, id, says, wrong, suggestions }: FieldInputProps) {
  const { kind, fallback } = field;
  const shared = {
    id,
    description: says,
    error: wrong === null ? null : `✕ ${wrong}`,
    inputWrapperOrder: ORDER,
    classNames: { description: 'configure-says', error: 'configure-wrong' },
  };
  const placeholder = fieldText(fallback) || words.absent || '';
  if (kind === 'boolean' || kind === 'part') {
    const on = kind === 'part' ? given !== undefined && given !== null : given === undefined ? fallback === true : given === true;
    return (
      <div className="configure-switch">
        <Switch
          id={id}
          aria-describedby={`${id}-says`}
          aria-invalid={wrong !== null || undefined}
          checked={on}
          onChange={({ currentTarget: { checked } }) => {
            if (kind === 'part') change(checked ? {} : undefined);
            else change(checked === fallback ? undefined : checked);
          }}
        />
        <div id={`${id}-says`} className="small configure-says">
          {says}
          {wrong === null ? null : <span className="configure-wrong configure-line">✕ {wrong}</span>}
        </div>
      </div>
    );
  }
  if (kind === 'choice') {
    const value = given === undefined ? fallback : given;
    const options = [...field.choices, ...(value === undefined || field.choices.includes(fieldText(value)) ? [] : [fieldText(value)])];
    return (
      <Select
        {...shared}
        data={options.map((choice) => ({ value: choice, label: choice }))}
        value={value === undefined ? null : fieldText(value)}
        placeholder={placeholder}
        clearable={field.optional}
        allowDeselect={false}
        clearButtonProps={{ 'aria-label': `Clear ${words.label}` }}
        renderOption={({ option }) => (
          <span>
            {option.label}
            <span className="configure-choice quiet small">{words.choices?.[option.value] ?? 'not known'}</span>
          </span>
        )}
        onChange={(choice) => change(choice === null || choice === fallback ? undefined : choice)}
      />
    );
  }
  if (kind === 'integer' || kind === 'number') {
    return (
      <TypedInput
        {...shared}
        inputMode={kind === 'integer' ? 'numeric' : 'decimal'}
        value={given}
        placeholder={placeholder}
        read={typedNumber}
        change={change}
        rightSection={words.unit === undefined ? null : <span className="configure-unit quiet small">{words.unit}</span>}
        rightSectionWidth={words.unit === undefined ? undefined : 88}
        rightSectionPointerEvents="none"
      />
    );
  }
  if (kind === 'numbers') {
    return <TypedInput {...shared} value={given} placeholder="none; for example 64, 128" read={typedNumbers} change={change} />;
  }
  if (LONG.has(field.path)) {
    return (
      <Textarea
        {...shared}
        autosize
        maxRows={8}
        placeholder="none"
        value={fieldText(given)}
        onChange={({ currentTarget }) => change(readText(currentTarget.value))}
      />
    );
  }
  if (suggestions.length > 0) {
    return (
      <Autocomplete
        {...shared}
        data={[...suggestions]}
        size="xs"
        limit={50}
        placeholder={placeholder}
        value={fieldText(given)}
        onChange={(text) => change(readText(text))}
      />
    );
  }
  return <TypedInput {...shared} value={given} placeholder={placeholder} read={readText} change={change} />;
}
