/** What differs from a preset, a run or the defaults: those settings alone, with both values. */
import { Select } from '@mantine/core';
import { useState } from 'react';
import { type Draft, differences } from '../../../shared/config-draft.ts';
import { FIELD_WORDS } from '../../../shared/config-words.ts';
import { isPlainObject } from '../../../shared/json-object.ts';
import type { RunSummary } from '../../../shared/run-view.ts';
import type { StartPoints } from '../../../shared/start-points.ts';
import { useQuery } from '../../rpc/use-query.ts';
import { asDraft, presetDraft, type StartPoint } from './start-point.ts';
import { fieldText } from './typed-number.ts';

interface DifferencesProps {
  draft: Draft;
  start: StartPoint;
  points: StartPoints;
  runs: readonly RunSummary[];
}

const termText = (term: unknown): string => {
  if (!isPlainObject(term)) return fieldText(term);
  const { name, weight, start_step: step, params } = term;
  const settings = Object.entries(isPlainObject(params) ? params : {}).map(([key, value]) => `${key} ${fieldText(value)}`);
  return `${fieldText(name)} × ${fieldText(weight)}${step === 0 ? '' : ` from step ${fieldText(step)}`}${settings.length > 0 ? ` (${settings.join(', ')})` : ''}`;
};

function valueText(value: unknown): string {
  if (value === undefined || value === null) return '—';
  if (typeof value === 'boolean') return value ? 'on' : 'off';
  if (Array.isArray(value) && value.some(isPlainObject)) return value.map(termText).join('\n');
  return fieldText(value).replace(/^-/, '−') || 'none';
}

const START = 'start';

export function Differences({ draft, start, points, runs }: DifferencesProps) {
  const [other, setOther] = useState(START);
  const [where, name = ''] = other.split(/\/(.*)/s);
  const record = useQuery('runs.record', { run: where === 'run' ? name : 'none' }, { enabled: where === 'run' });
  let base: Draft | null = start.draft;
  if (where === 'preset') base = presetDraft(points, name);
  else if (where === 'defaults') base = { kind: draft.kind };
  else if (where === 'run') base = record.data === null || record.stale ? null : asDraft(record.data.config);
  const kindDiffers = base !== null && base.kind !== draft.kind;
  const rows = base === null || kindDiffers ? [] : differences(draft, base);
  return (
    <section aria-labelledby="differences-title" className="configure-part">
      <h2 id="differences-title">Differences</h2>
      <Select
        aria-label="Differences from"
        data={[
          {
            group: 'From',
            items: [
              { value: START, label: `where it began: ${start.label}` },
              { value: 'defaults', label: 'the defaults' },
            ],
          },
          { group: 'Presets', items: points.presets.map((preset) => ({ value: `preset/${preset.name}`, label: preset.name })) },
          {
            group: 'Runs',
            items: runs.filter(({ kind }) => kind === draft.kind).map((run) => ({ value: `run/${run.id}`, label: run.id })),
          },
        ]}
        value={other}
        allowDeselect={false}
        onChange={(value) => setOther(value ?? START)}
      />
      {record.error !== null && where === 'run' ? <p className="configure-wrong">✕ {record.error.message}</p> : null}
      {kindDiffers && base !== null ? <p className="small quiet">That is a config of another kind ({base.kind}).</p> : null}
      {base !== null && !kindDiffers && rows.length === 0 ? <p className="small quiet">None: every setting is the same.</p> : null}
      {rows.length > 0 ? (
        <table className="configure-differences small">
          <thead>
            <tr>
              <th scope="col">Setting</th>
              <th scope="col">There</th>
              <th scope="col">Here</th>
            </tr>
          </thead>
          <tbody>
            {rows.map(({ path, here, there }) => (
              <tr key={path}>
                <th scope="row" title={path}>
                  {FIELD_WORDS[path]?.label ?? path}
                </th>
                <td className="verbatim">{valueText(there)}</td>
                <td className="verbatim">{valueText(here)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      ) : null}
    </section>
  );
}
