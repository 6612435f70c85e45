/** Saves what is shown, or a seeded sample of it, as a split with a name. */
import { Button, Group, NumberInput, Popover, Stack, Switch, Text, TextInput } from '@mantine/core';
import { Save } from 'lucide-react';
import { useState } from 'react';
import { DatasetName } from '../../../shared/dataset-import.ts';
import { open } from '../../app/address.ts';
import { call, messageOf } from '../../rpc/client.ts';
import type { Choice } from './choice.ts';
import { conditionWords, countText } from './field-words.ts';

export function SubsetForm({
  data,
  split,
  choice,
  count,
  onSaved,
}: {
  data: string;
  split: string;
  choice: Choice;
  count: number;
  onSaved(): void;
}) {
  const [opened, setOpened] = useState(false);
  const [name, setName] = useState('');
  const [sampled, setSampled] = useState(false);
  const [n, setN] = useState<number | string>(200);
  const [seed, setSeed] = useState<number | string>(0);
  const [error, setError] = useState<string | null>(null);
  const [saving, setSaving] = useState(false);
  const { where } = choice;
  const problem = name === '' ? null : (DatasetName.safeParse(name).error?.issues[0]?.message ?? null);
  const words = where.length === 0 ? 'all of them' : where.map(conditionWords).join(' and ');

  const save = async (): Promise<void> => {
    setSaving(true);
    setError(null);
    try {
      const sample = sampled ? { n: Number(n), seed: Number(seed) } : null;
      const subset = await call('datasets.subset', { data, split, name, where, sample });
      onSaved();
      setOpened(false);
      setName('');
      open(['datasets', subset.name, subset.split]);
    } catch (thrown) {
      setError(messageOf(thrown));
    } finally {
      setSaving(false);
    }
  };

  return (
    <Popover opened={opened} onChange={setOpened} position="bottom-end" shadow="md" trapFocus returnFocus width={340}>
      <Popover.Target>
        <Button variant="default" leftSection={<Save size={14} />} onClick={() => setOpened(!opened)} disabled={count === 0}>
          Save subset
        </Button>
      </Popover.Target>
      <Popover.Dropdown>
        <form
          onSubmit={(event) => {
            event.preventDefault();
            void save();
          }}
        >
          <Stack gap="md">
            <Text size="sm" className="verbatim">
              Of {data}:{split}, {countText(count)} questions: {words}.
            </Text>
            <TextInput
              label="Name"
              description="Letters, digits, - and _"
              value={name}
              error={problem}
              onChange={(event) => setName(event.currentTarget.value)}
              data-autofocus
            />
            <Switch
              label="Take a sample"
              description="The same seed gives the same questions; a larger sample holds the smaller one."
              checked={sampled}
              onChange={(event) => setSampled(event.currentTarget.checked)}
            />
            {sampled ? (
              <Group gap="md" grow>
                <NumberInput label="Questions" min={1} allowDecimal={false} value={n} onChange={setN} />
                <NumberInput label="Seed" min={0} allowDecimal={false} value={seed} onChange={setSeed} />
              </Group>
            ) : null}
            {error === null ? null : (
              <Text size="sm" className="state-failed verbatim" role="alert">
                {error}
              </Text>
            )}
            <Button type="submit" loading={saving} disabled={name === '' || problem !== null || (sampled && !(Number(n) >= 1))}>
              Save as a named split
            </Button>
          </Stack>
        </form>
      </Popover.Dropdown>
    </Popover>
  );
}
