/** What the run was started with: frozen when it began. */
import { Button } from '@mantine/core';
import { Copy } from 'lucide-react';
import { hrefOf } from '../../../app/address.ts';
import { Failed, Loading } from '../../../app/states.tsx';
import { useQuery } from '../../../rpc/use-query.ts';
import type { LiveTabProps } from './tab-props.ts';

const short = (hash: string): string => hash.slice(0, 12);

export default function ConfigTab({ run }: LiveTabProps) {
  const { data, error, refresh } = useQuery('runs.record', { run });
  if (data === null)
    return error === null ? (
      <Loading what="Reading run.json" />
    ) : (
      <Failed what="run.json could not be read" error={error} retry={refresh} />
    );
  const text = JSON.stringify(data.config, null, 2);
  const facts: [string, string][] = [
    ['started', new Date(data.created).toLocaleString()],
    ['seed', String(data.seed)],
    ['model', `${data.model.path}, ${data.model.parameters.toLocaleString('en')} parameters, hash ${short(data.model.hash)}`],
    ...data.data.map(({ name, split, n, hash }): [string, string] => [
      'data',
      `${name}:${split}, ${n.toLocaleString('en')} questions, hash ${short(hash)}`,
    ]),
    ['trained on', data.splits.trained_on ?? '—'],
    ['selected on', data.splits.selected_on ?? '—'],
    ['reported on', data.splits.reported_on ?? '—'],
    [
      'versions',
      Object.entries(data.versions)
        .map(([name, version]) => `${name} ${version}`)
        .join(', '),
    ],
    ['git revision', data.git_revision ?? 'not a checkout'],
  ];
  return (
    <>
      <div className="toolbar">
        <span className="quiet">Frozen when the run began; a change needs a new run.</span>
        <div className="toolbar-end">
          <Button
            variant="default"
            leftSection={<Copy size={14} aria-hidden="true" />}
            onClick={() => void navigator.clipboard.writeText(text)}
          >
            Copy config
          </Button>
          <Button component="a" href={hrefOf(['new'], { from: run })}>
            Start a run like this
          </Button>
        </div>
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keys */}
      <section className="config-tab" aria-label="Config" tabIndex={0}>
        <dl className="config-facts">
          {facts.map(([name, value], i) => (
            <div key={i}>
              <dt className="quiet">{name}</dt>
              <dd className="verbatim">{value}</dd>
            </div>
          ))}
        </dl>
        <pre className="card mono config-text">{text}</pre>
      </section>
    </>
  );
}
