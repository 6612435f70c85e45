/** Filters as chips that read as a sentence, and the form that adds one. */
import { Button, Group, NumberInput, Pill, Popover, Select, Stack } from '@mantine/core';
import { Filter } from 'lucide-react';
import { type ReactNode, useState } from 'react';
import './data-table.css';
import { isSound, type RowCondition, type RowField } from './row-conditions.ts';

export interface FilterChip {
  /** `tokens ≥ 200` */
  words: string;
  remove: () => void;
}

/** `lead` stands before the first, where there is one: "Questions with an answer that". */
export function FilterChips({ chips, lead }: { chips: readonly FilterChip[]; lead?: string }) {
  if (chips.length === 0) return null;
  return (
    <>
      {lead === undefined ? null : <span className="quiet filter-lead">{lead}</span>}
      {chips.map(({ words, remove }, place) => (
        <Pill
          key={`${place} ${words}`}
          withRemoveButton
          removeButtonProps={{ 'aria-label': `Remove filter: ${words}`, 'aria-hidden': false, tabIndex: 0 }}
          onRemove={remove}
          className="filter-chip"
        >
          {place === 0 ? '' : 'and '}
          {words}
        </Pill>
      ))}
    </>
  );
}

/** The button and what it opens; `form` is given how to close it. */
export function FilterPopover({ form }: { form: (close: () => void) => ReactNode }) {
  const [open, setOpen] = useState(false);
  return (
    <Popover opened={open} onChange={setOpen} position="bottom-start" shadow="md" trapFocus returnFocus>
      <Popover.Target>
        <Button variant="default" leftSection={<Filter size={14} />} onClick={() => setOpen(!open)}>
          Filter
        </Button>
      </Popover.Target>
      <Popover.Dropdown>{form(() => setOpen(false))}</Popover.Dropdown>
    </Popover>
  );
}

const NUMBER_OPS = [
  { value: '>=', label: 'at least' },
  { value: '<=', label: 'at most' },
] as const;

/** Chooses a field, and a value of it or a bound for it. */
export function ConditionForm({ fields, add }: { fields: readonly RowField[]; add: (condition: RowCondition) => void }) {
  const [name, setName] = useState(fields[0]?.name ?? '');
  const [op, setOp] = useState<'>=' | '<='>('>=');
  const [value, setValue] = useState('');
  const field = fields.find((one) => one.name === name) ?? fields[0];
  if (field === undefined) return null;
  const condition: RowCondition = { field: field.name, op: field.values === undefined ? op : 'is', value };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (isSound(condition, fields)) add(condition);
      }}
    >
      <Stack gap="sm">
        <Group gap="sm" wrap="nowrap" align="flex-end">
          <Select
            label="Field"
            w={170}
            data={fields.map((one) => ({ value: one.name, label: one.label }))}
            value={field.name}
            allowDeselect={false}
            comboboxProps={{ withinPortal: false }}
            onChange={(next) => {
              setName(next ?? field.name);
              setValue('');
            }}
          />
          {field.values === undefined ? (
            <>
              <Select
                label="Is"
                w={100}
                data={[...NUMBER_OPS]}
                value={op}
                allowDeselect={false}
                comboboxProps={{ withinPortal: false }}
                onChange={(next) => setOp(next === '<=' ? '<=' : '>=')}
              />
              <NumberInput label="Value" w={120} value={value} onChange={(next) => setValue(String(next))} />
            </>
          ) : (
            <Select
              label="Is"
              w={190}
              data={field.values.map((one) => ({ value: one.value, label: one.label }))}
              value={value === '' ? null : value}
              searchable
              limit={50}
              comboboxProps={{ withinPortal: false }}
              onChange={(next) => setValue(next ?? '')}
            />
          )}
        </Group>
        <Button type="submit" disabled={!isSound(condition, fields)} style={{ alignSelf: 'flex-start' }}>
          Add filter
        </Button>
      </Stack>
    </form>
  );
}
