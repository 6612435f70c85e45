/** The list at the left: every data set with its splits, how many questions each has, and why one is not there. */
import { Badge, Tooltip } from '@mantine/core';
import { CircleSlash } from 'lucide-react';
import type { DatasetEntry } from '../../../shared/rpc/datasets.ts';
import { hrefOf } from '../../app/address.ts';
import { countText } from './field-words.ts';

const KINDS: Record<DatasetEntry['kind'], string | null> = { catalogue: null, imported: 'imported', subset: 'subset' };

function Split({ entry, split, chosen }: { entry: DatasetEntry; split: DatasetEntry['splits'][number]; chosen: boolean }) {
  if (!split.available) {
    return (
      <Tooltip label={split.reason} position="right">
        <li className="datasets-split datasets-split-away">
          <span>{split.split}</span>
          <span className="datasets-away">
            <CircleSlash size={12} aria-hidden="true" /> not here
          </span>
        </li>
      </Tooltip>
    );
  }
  return (
    <li>
      <a className="datasets-split" href={hrefOf(['datasets', entry.name, split.split])} aria-current={chosen ? 'true' : undefined}>
        <span>{split.split}</span>
        <span>{countText(split.count ?? 0)}</span>
      </a>
    </li>
  );
}

export function CatalogueList({
  entries,
  data,
  split,
}: {
  entries: readonly DatasetEntry[];
  data: string | undefined;
  split: string | undefined;
}) {
  return (
    <nav className="pane-list datasets-list" aria-label="Data sets">
      {entries.map((entry) => {
        const away = entry.splits.filter(({ available }) => !available);
        return (
          <section key={entry.name} aria-label={entry.name}>
            <h3>
              {entry.name}
              {KINDS[entry.kind] === null ? null : <Badge tt="none">{KINDS[entry.kind]}</Badge>}
            </h3>
            <p className="datasets-licence" title={entry.source}>
              {entry.licence}
              {entry.skipped > 0 ? ` · ${countText(entry.skipped)} rows left out` : ''}
            </p>
            <ul>
              {entry.splits.map((one) => (
                <Split key={one.split} entry={entry} split={one} chosen={entry.name === data && one.split === split} />
              ))}
            </ul>
            {away.length > 0 ? (
              <details className="datasets-why">
                <summary>
                  {away.length === entry.splits.length
                    ? 'Why it is not here'
                    : `Why ${away.map((one) => one.split).join(', ')} is not here`}
                </summary>
                {[...new Set(away.map(({ reason }) => reason))].map((reason) => (
                  <p key={reason} className="verbatim">
                    {reason}
                  </p>
                ))}
              </details>
            ) : null}
          </section>
        );
      })}
    </nav>
  );
}
