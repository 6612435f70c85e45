/** What is known of a split: where it is from, how its answers and lengths are spread, and what of it stands in other splits. */
import { Button, CopyButton } from '@mantine/core';
import { useEffect, useState } from 'react';
import type { SplitContamination } from '../../../shared/dataset-listing.ts';
import { labelFigure, lengthFigure } from '../../../shared/figures/distribution.ts';
import type { DatasetEntry, SplitProfile } from '../../../shared/rpc/datasets.ts';
import { Failed, Loading } from '../../app/states.tsx';
import { Plot } from '../../plot/plot.tsx';
import { useFigureTheme } from '../../plot/use-figure-theme.ts';
import { CallFailed, call } from '../../rpc/client.ts';
import { useQuery } from '../../rpc/use-query.ts';
import { countText } from './field-words.ts';
import { Hint } from './term.tsx';

const percent = (share: number): string => `${Number((100 * share).toPrecision(3))} %`;

function Finding({ one }: { one: SplitContamination }) {
  if (one.finding === null) {
    return (
      <li>
        <b>{one.split}</b>: <span className="quiet">not looked for. {one.reason}</span>
      </li>
    );
  }
  const { exact, ngram, affected, b } = one.finding;
  return (
    <li className={affected > 0 ? 'datasets-contaminated' : undefined}>
      <b>{one.split}</b>:{' '}
      {affected === 0
        ? 'none of these questions stands there.'
        : `${countText(affected)} of ${countText(b)} questions: ${countText(exact.count)} with the same text (${percent(exact.share_of_b)}), ${countText(ngram.count)} that share ${ngram.n} words in a row (${percent(ngram.share_of_b)}).`}
      {affected === 0 ? null : (
        <details>
          <summary>Examples</summary>
          <ul>
            {exact.pairs.slice(0, 5).map((pair) => (
              <li key={pair.b} className="verbatim">
                {pair.b} is {pair.a}
              </li>
            ))}
            {ngram.examples.slice(0, 5).map((pair) => (
              <li key={`${pair.b} ${pair.a}`} className="verbatim">
                {pair.b} and {pair.a}: “{pair.gram}”
              </li>
            ))}
          </ul>
        </details>
      )}
    </li>
  );
}

/** Sets up to this size are looked through without asking: seconds, in a thread of their own. */
const UNASKED = 30_000;

function Contamination({ entry, data, split }: { entry: DatasetEntry; data: string; split: string }) {
  const known = useQuery('datasets.contamination', { data, split, look: false });
  const [looking, setLooking] = useState(false);
  const [failed, setFailed] = useState<CallFailed | null>(null);
  const size = entry.splits.reduce((sum, { count }) => sum + (count ?? 0), 0);
  const found = known.data?.found ?? null;
  const unasked = !known.stale && known.data !== null && found === null && size <= UNASKED;
  const { refresh } = known;
  const look = (): void => {
    setLooking(true);
    setFailed(null);
    call('datasets.contamination', { data, split, look: true })
      .then(refresh, (thrown: unknown) =>
        setFailed(thrown instanceof CallFailed ? thrown : new CallFailed({ code: 'failed', message: String(thrown) })),
      )
      .finally(() => setLooking(false));
  };
  // Once for each split that is not known.
  useEffect(() => {
    if (unasked) look();
  }, [unasked, data, split]);

  return (
    <section aria-label="Contamination">
      <h3>
        In other splits{' '}
        <Hint about="contamination">
          Questions that also stand in another split, by the same text or by 13 words in a row. A model that trained on them may know the
          answer by heart.
        </Hint>
      </h3>
      {failed === null ? null : <Failed what="The other splits could not be looked through" error={failed} retry={look} />}
      {known.error === null ? null : <Failed what="What is known could not be read" error={known.error} retry={refresh} />}
      {found !== null && !known.stale ? (
        found.length === 0 ? (
          <p className="quiet">There is no other split to compare with.</p>
        ) : (
          <ul className="datasets-findings">
            {found.map((one) => (
              <Finding key={one.split} one={one} />
            ))}
          </ul>
        )
      ) : looking ? (
        <p className="quiet" role="status">
          Looking through {countText(size)} questions …
        </p>
      ) : failed === null && known.data !== null && !unasked ? (
        <>
          <p className="quiet">
            Not looked for yet. {countText(size)} questions have to be read, which takes minutes; you can go on working.
          </p>
          <Button variant="default" onClick={look}>
            Look through the other splits
          </Button>
        </>
      ) : null}
    </section>
  );
}

function Distributions({ profile }: { profile: SplitProfile }) {
  const theme = useFigureTheme();
  const gold = profile.fields.find(({ field }) => field === 'gold');
  return (
    <>
      {gold === undefined || gold.distinct === 0 ? null : (
        <Plot
          figure={labelFigure(theme, { n: profile.n - profile.unlabelled, distinct: gold.distinct, values: gold.values })}
          label="Gold answers"
        />
      )}
      <Plot figure={lengthFigure(theme, { n: profile.n, ...profile.lengths })} label="Question lengths" />
    </>
  );
}

export function SplitDetail({
  entry,
  split,
  profile,
  error,
}: {
  entry: DatasetEntry;
  split: string;
  profile: SplitProfile | null;
  error: CallFailed | null;
}) {
  const hash = entry.splits.find((one) => one.split === split)?.hash ?? null;
  return (
    <article className="datasets-detail" aria-label={`About ${entry.name}:${split}`}>
      <dl className="datasets-facts">
        <dt>Source</dt>
        <dd className="verbatim">{entry.source}</dd>
        <dt>Licence</dt>
        <dd className="verbatim">{entry.licence}</dd>
        <dt>
          Hash{' '}
          <Hint about="the hash">
            SHA-256 of ids, texts and gold answers in order: two results with the same hash were asked the same questions.
          </Hint>
        </dt>
        <dd>
          {hash === null ? (
            '–'
          ) : (
            <CopyButton value={hash}>
              {({ copied, copy }) => (
                <Button variant="default" size="compact-xs" className="mono" onClick={copy} aria-label={`Copy the hash ${hash}`}>
                  {copied ? 'copied' : `${hash.slice(0, 12)}…`}
                </Button>
              )}
            </CopyButton>
          )}
        </dd>
        {profile !== null && profile.unlabelled > 0 ? (
          <>
            <dt>No gold answer</dt>
            <dd>{countText(profile.unlabelled)} questions; they can be read, not scored.</dd>
          </>
        ) : null}
      </dl>
      {profile !== null ? (
        <Distributions profile={profile} />
      ) : error !== null ? (
        <Failed what="The split could not be counted" error={error} />
      ) : (
        <Loading what="Counting answers and lengths" />
      )}
      <Contamination key={`${entry.name}:${split}`} entry={entry} data={entry.name} split={split} />
    </article>
  );
}
