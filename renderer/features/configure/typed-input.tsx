/** A text field whose value is read as it is typed, and that leaves the text alone while it is. */
import { TextInput, type TextInputProps } from '@mantine/core';
import { useEffect, useState } from 'react';
import { fieldText } from './typed-number.ts';

interface TypedInputProps<T> extends Omit<TextInputProps, 'value' | 'onChange'> {
  value: unknown;
  read: (text: string) => T | undefined;
  change: (value: T | undefined) => void;
}

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

export function TypedInput<T>({ value, read, change, ...rest }: TypedInputProps<T>) {
  const [text, setText] = useState(fieldText(value));
  // Only what came from elsewhere replaces the text: "0." is 0, and must not lose its dot.
  useEffect(() => setText((typed) => (same(read(typed), value) ? typed : fieldText(value))), [value, read]);
  return (
    <TextInput
      {...rest}
      autoComplete="off"
      spellCheck={false}
      value={text}
      onChange={({ currentTarget }) => {
        setText(currentTarget.value);
        change(read(currentTarget.value));
      }}
    />
  );
}
