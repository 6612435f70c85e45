/** How evaluations and training runs were made: what differs, and on request the rest. */
import { Button, Switch } from '@mantine/core';
import type { NamedDifference } from '../../../shared/rpc/compare.ts';
import { useParameter } from '../../app/address.ts';
import { Failed, Loading } from '../../app/states.tsx';
import { useQuery } from '../../rpc/use-query.ts';
import { saveText, toCsv } from '../../table/csv.ts';
import type { Choice } from './choice.ts';

interface SettingRow {
  key: string;
  values: string[];
}

function Difference({ title, difference, all }: { title: string; difference: NamedDifference; all: boolean }) {
  const { names, differing, same } = difference;
  if (names.length === 0) return null;
  const rows: SettingRow[] = [...differing, ...(all ? same.map(([key, value]) => ({ key, values: names.map(() => value) })) : [])];
  const save = (): void => {
    const columns = [
      { id: 'key', header: 'setting', width: 0, cell: (row: SettingRow) => row.key },
      ...names.map((name, i) => ({ id: String(i), header: name, width: 0, cell: (row: SettingRow) => row.values[i] ?? '' })),
    ];
    saveText(`${title.toLowerCase().replaceAll(' ', '-')}-settings.csv`, toCsv(columns, rows));
  };
  return (
    <section className="card compare-one" aria-label={title}>
      <h2 className="compare-title">
        {title}{' '}
        <span className="quiet">
          {names.length === 1 ? 'only one, so nothing differs' : `${differing.length} settings differ, ${same.length} are the same`}
        </span>
        <Button variant="subtle" size="compact-xs" onClick={save}>
          Save CSV
        </Button>
      </h2>
      {rows.length === 0 ? null : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls sideways, so keys must reach it.
        <section className="compare-scroll" tabIndex={0} aria-label={`${title}: settings`}>
          <table className="compare-measures compare-settings">
            <thead>
              <tr>
                <th scope="col">setting</th>
                {names.map((name) => (
                  <th key={name} scope="col">
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {rows.map(({ key, values }) => (
                <tr key={key}>
                  <th scope="row" className="mono">
                    {key}
                  </th>
                  {values.map((value, i) => (
                    <td key={names[i]} className="mono">
                      {value}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
    </section>
  );
}

export function SettingsTab({ choice }: { choice: Choice }) {
  const [all, setAll] = useParameter('all');
  const { data, error, refresh } = useQuery('compare.settings', choice.input);
  if (data === null)
    return error === null ? (
      <Loading what="Reading the settings" />
    ) : (
      <Failed what="The settings cannot be shown" error={error} retry={refresh} />
    );
  return (
    <div className="compare-result">
      <Switch
        size="xs"
        label="Also those that are the same"
        checked={all !== null}
        onChange={(event) => setAll(event.currentTarget.checked ? '1' : null)}
      />
      <Difference title="Evaluations" difference={data.evaluations} all={all !== null} />
      <Difference title="Training runs" difference={data.training} all={all !== null} />
    </div>
  );
}
