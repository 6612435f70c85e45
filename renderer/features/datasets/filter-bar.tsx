/** Search, filters as chips that read as a sentence, and the form that adds one. */
import { ActionIcon, Autocomplete, Button, Group, NumberInput, Select, Stack, TextInput } from '@mantine/core';
import { Search, X } from 'lucide-react';
import { type RefObject, useEffect, useState } from 'react';
import type { Condition } from '../../../shared/question-filter.ts';
import { type FieldValues, QuestionRow, type SplitProfile } from '../../../shared/rpc/datasets.ts';
import { FilterChips, FilterPopover } from '../../table/filter-chips.tsx';
import type { Choice } from './choice.ts';
import { conditionWords, countText, fieldWords, isNumberField, OPERATIONS } from './field-words.ts';

/** Typing asks no more often than this. */
const PAUSE_MS = 150;
const WORD_OPS: Condition['op'][] = ['=', '!=', '~'];
const NUMBER_OPS: Condition['op'][] = ['>', '<', '>=', '<=', '=', '!='];
const COUNTED = Object.keys(QuestionRow.shape).filter(isNumberField);

function SearchBox({ choice, input }: { choice: Choice; input: RefObject<HTMLInputElement | null> }) {
  const [text, setText] = useState(choice.search);
  const { search, setSearch } = choice;
  useEffect(() => setText((typed) => (typed.trim() === search ? typed : search)), [search]);
  useEffect(() => {
    if (text.trim() === search) return;
    const timer = setTimeout(() => setSearch(text), PAUSE_MS);
    return () => clearTimeout(timer);
    // A change of the address must not start what was typed anew.
  }, [text, setSearch]);
  return (
    <TextInput
      ref={input}
      className="datasets-search"
      leftSection={<Search size={14} />}
      rightSection={
        text === '' ? null : (
          <ActionIcon size="xs" aria-label="Clear the search" onClick={() => setText('')}>
            <X size={12} />
          </ActionIcon>
        )
      }
      placeholder="Search questions ( / )"
      aria-label="Search questions"
      value={text}
      onChange={(event) => setText(event.currentTarget.value)}
      onKeyDown={(event) => {
        if (event.key === 'Escape') event.currentTarget.blur();
      }}
    />
  );
}

function FilterForm({ profile, add }: { profile: SplitProfile | null; add: (condition: Condition) => void }) {
  const fields = [...(profile?.fields.map(({ field }) => field) ?? ['gold', 'kind']), ...COUNTED, 'question', 'id'];
  const first = fields.find((field) => field === 'meta.subject') ?? 'gold';
  const [field, setField] = useState(first);
  const [op, setOp] = useState<Condition['op']>('=');
  const [value, setValue] = useState<string>('');
  const ops = isNumberField(field) ? NUMBER_OPS : WORD_OPS;
  const chosenOp = ops.includes(op) ? op : (ops[0] ?? '=');
  const known: FieldValues | undefined = profile?.fields.find((one) => one.field === field);
  const counts = new Map(known?.values.map(({ value, count }) => [value, count]));
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (value.trim() !== '') add({ field, op: chosenOp, value: value.trim() });
      }}
    >
      <Stack gap="sm">
        <Group gap="sm" wrap="nowrap" align="flex-end">
          <Select
            label="Field"
            w={150}
            data={fields.map((name) => ({ value: name, label: fieldWords(name) }))}
            value={field}
            allowDeselect={false}
            comboboxProps={{ withinPortal: false }}
            onChange={(next) => {
              setField(next ?? first);
              setValue('');
            }}
          />
          <Select
            label="Is"
            w={100}
            data={ops.map((name) => ({ value: name, label: OPERATIONS[name] }))}
            value={chosenOp}
            allowDeselect={false}
            comboboxProps={{ withinPortal: false }}
            onChange={(next) => setOp((next ?? '=') as Condition['op'])}
          />
          {isNumberField(field) ? (
            <NumberInput label="Value" w={190} value={value} min={0} allowDecimal={false} onChange={(next) => setValue(String(next))} />
          ) : (
            <Autocomplete
              label="Value"
              w={190}
              data={[...counts.keys()]}
              limit={50}
              value={value}
              onChange={setValue}
              comboboxProps={{ withinPortal: false }}
              maxDropdownHeight={220}
              renderOption={({ option }) => (
                <span className="datasets-value">
                  <span>{option.value}</span>
                  <span className="quiet">{countText(counts.get(option.value) ?? 0)}</span>
                </span>
              )}
            />
          )}
        </Group>
        <Button type="submit" disabled={value.trim() === ''} style={{ alignSelf: 'flex-start' }}>
          Add filter
        </Button>
      </Stack>
    </form>
  );
}

export function FilterBar({
  choice,
  profile,
  searchInput,
}: {
  choice: Choice;
  profile: SplitProfile | null;
  searchInput: RefObject<HTMLInputElement | null>;
}) {
  const { conditions, setConditions } = choice;
  return (
    <>
      <SearchBox choice={choice} input={searchInput} />
      <FilterPopover
        form={(close) => (
          <FilterForm
            profile={profile}
            add={(condition) => {
              setConditions([...conditions, condition]);
              close();
            }}
          />
        )}
      />
      <FilterChips
        chips={conditions.map((condition, place) => ({
          words: conditionWords(condition),
          remove: () => setConditions(conditions.toSpliced(place, 1)),
        }))}
      />
    </>
  );
}
