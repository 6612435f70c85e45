/** First rows, mapping, check and import of one file. */
import { Button, Checkbox, Group, Select, Switch, Text, TextInput } from '@mantine/core';
import { useEffect, useRef, useState } from 'react';
import type { ImportReport } from '../../../shared/dataset-import.ts';
import { Failed } from '../../app/states.tsx';
import type { CallFailed } from '../../rpc/client.ts';
import { follow } from '../../rpc/client.ts';
import { bytesText, countText } from './field-words.ts';
import { ImportFindings } from './import-findings.tsx';
import { ImportMapping } from './import-mapping.tsx';
import { type ChosenFile, firstChoices, type ImportChoices, missing, requestOf } from './import-request.ts';

/** Files up to this size are checked without asking, a moment after the last change. */
const UNASKED_BYTES = 8_000_000;
const PAUSE_MS = 500;

function FirstRows({ preview }: { preview: ChosenFile['preview'] }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keys
    <section className="datasets-preview card" aria-label="First rows" tabIndex={0}>
      <table>
        <thead>
          <tr>
            <th className="number">row</th>
            {preview.columns.map((column) => (
              <th key={column}>{column}</th>
            ))}
          </tr>
        </thead>
        <tbody>
          {preview.rows.map(({ row, cells, fault }) => (
            <tr key={row}>
              <td className="number quiet">{row}</td>
              {fault === null ? (
                cells.map((cell, place) => (
                  <td key={preview.columns[place]} title={cell}>
                    {cell}
                  </td>
                ))
              ) : (
                <td colSpan={Math.max(1, preview.columns.length)} className="state-failed">
                  {fault}
                </td>
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

interface Reading {
  rows: number;
  dryRun: boolean;
  stop(): void;
}

export function ImportForm({ file, onDone }: { file: ChosenFile; onDone(name: string, split: string): void }) {
  const { preview, handle } = file;
  const [choices, setChoices] = useState<ImportChoices>(() => firstChoices(preview));
  const [checked, setChecked] = useState<{ key: string; report: ImportReport } | null>(null);
  const [reading, setReading] = useState<Reading | null>(null);
  const [failed, setFailed] = useState<{ key: string; error: CallFailed } | null>(null);
  const change = (part: Partial<ImportChoices>): void => setChoices((now) => ({ ...now, ...part }));
  const request = requestOf(handle, choices);
  const key = JSON.stringify(request);
  const problems = missing(choices);
  const ready = Object.keys(problems).length === 0;
  const report = checked !== null && checked.key === key ? checked.report : null;
  const error = failed !== null && failed.key === key ? failed.error : null;

  const stop = useRef<() => void>(() => undefined);
  useEffect(() => () => stop.current(), []);

  const start = (dryRun: boolean, skip: boolean): void => {
    stop.current();
    setFailed(null);
    const end = follow(
      'datasets.import',
      { ...request, skip_bad_rows: skip, dry_run: dryRun },
      (item) => {
        if (item.type === 'rows') setReading((now) => (now === null ? null : { ...now, rows: item.rows }));
        else if (item.report.dataset === null) setChecked({ key, report: item.report });
        else
          onDone(
            item.report.dataset.name,
            Object.hasOwn(item.report.dataset.splits, 'test') ? 'test' : (Object.keys(item.report.dataset.splits)[0] ?? 'all'),
          );
      },
      (ended) => {
        setReading(null);
        if (ended !== null) setFailed({ key, error: ended });
      },
    );
    stop.current = () => {
      end();
      setReading(null);
    };
    setReading({ rows: 0, dryRun, stop: () => stop.current() });
  };
  const latest = useRef(start);
  latest.current = start;
  const unasked = ready && preview.bytes <= UNASKED_BYTES;
  // Whenever what would be imported changes.
  useEffect(() => {
    stop.current();
    if (!unasked) return;
    const timer = setTimeout(() => latest.current(true, false), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [key, unasked]);

  return (
    <div className="datasets-import-body">
      <p className="quiet">
        {bytesText(preview.bytes)}, {preview.format.toUpperCase()}. The first {preview.rows.length} rows:
      </p>
      <FirstRows preview={preview} />
      <h3>What it is</h3>
      {preview.recognised === null ? (
        <p className="quiet">These rows are of no kind that is known: say which column is what.</p>
      ) : (
        <Switch
          label={`Recognised as ${preview.recognised}`}
          description="Switch off to map the columns yourself"
          checked={choices.recognised}
          onChange={(event) => change({ recognised: event.currentTarget.checked })}
        />
      )}
      {choices.recognised ? null : <ImportMapping columns={preview.columns} choices={choices} problems={problems} change={change} />}
      <h3>How it is kept</h3>
      <div className="datasets-fields">
        <TextInput
          label="Name"
          description="Letters, digits, - and _"
          required
          value={choices.name}
          error={problems.name}
          onChange={(event) => change({ name: event.currentTarget.value })}
        />
        <TextInput
          label="Split"
          description="A column that names each row's split, or one name for all"
          placeholder="by a fixed hash: 80, 10, 10 %"
          value={choices.split}
          onChange={(event) => change({ split: event.currentTarget.value })}
        />
        <TextInput
          label="Licence"
          description="Under which the questions may be used"
          placeholder="not stated"
          value={choices.licence}
          onChange={(event) => change({ licence: event.currentTarget.value })}
        />
        <TextInput
          label="Source"
          description="Publication or address"
          placeholder={`imported from ${preview.name}`}
          value={choices.source}
          onChange={(event) => change({ source: event.currentTarget.value })}
        />
        {choices.recognised && preview.recognised === 'medmcqa' ? (
          <Select
            label="Labels count from"
            description="Left open: as the file shows"
            placeholder="as the file shows"
            clearable
            data={['0', '1']}
            value={choices.labelsFrom === null ? null : String(choices.labelsFrom)}
            onChange={(value) => change({ labelsFrom: value === null ? null : value === '1' ? 1 : 0 })}
          />
        ) : null}
      </div>
      <Group gap="lg">
        <Checkbox
          size="xs"
          label="Allow rows without a gold answer (they cannot be scored)"
          checked={choices.withoutGold}
          onChange={(event) => change({ withoutGold: event.currentTarget.checked })}
        />
        <Checkbox
          size="xs"
          label="Replace a data set of this name"
          checked={choices.replace}
          onChange={(event) => change({ replace: event.currentTarget.checked })}
        />
      </Group>
      {error === null ? null : <Failed what="Nothing was written" error={error} />}
      {report === null ? null : <ImportFindings report={report} file={choices.name} />}
      <Group gap="sm" className="datasets-import-foot">
        {reading !== null ? (
          <>
            <Text size="sm" role="status">
              {reading.dryRun ? 'Checking' : 'Importing'}: {countText(reading.rows)} rows read …
            </Text>
            <Button variant="default" onClick={reading.stop}>
              Stop
            </Button>
          </>
        ) : report === null ? (
          <Button variant={unasked ? 'default' : 'filled'} disabled={!ready} onClick={() => start(true, false)}>
            Check all rows
          </Button>
        ) : report.problems.total === 0 ? (
          <Button onClick={() => start(false, false)}>Import {countText(report.questions)} questions</Button>
        ) : (
          <>
            <Button disabled={report.questions === 0} onClick={() => start(false, true)}>
              Import {countText(report.questions)} questions, skip {countText(report.problems.total)}
            </Button>
            <Text size="sm" className="quiet">
              The rows with errors are listed above.
            </Text>
          </>
        )}
      </Group>
    </div>
  );
}
