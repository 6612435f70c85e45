/** Recorded results: what the program shows of an experiment, before the reader has one of their own. */
import { Badge, Button, Tabs } from '@mantine/core';
import { useMemo, useState } from 'react';
import { learningCurves } from '../../../shared/figures/learning-curves.ts';
import { milestoneFigures } from '../../../shared/figures/milestone.ts';
import type { RecordedExample } from '../../../shared/recorded-example.ts';
import { secondsInWords } from '../../../shared/run-words.ts';
import { Failed, Loading } from '../../app/states.tsx';
import { Plot } from '../../plot/plot.tsx';
import { useFigureTheme } from '../../plot/use-figure-theme.ts';
import { useQuery } from '../../rpc/use-query.ts';
import { ExampleAnswerPairs } from './example-answers.tsx';
import { Headline } from './headline.tsx';

const MODELS = [
  { name: 'before', series: 'before' },
  { name: 'after GRPO', series: 'after GRPO' },
];

function Figures({ example }: { example: RecordedExample }) {
  const theme = useFigureTheme();
  const { bars, curves } = useMemo(() => {
    const results = (sets: RecordedExample['sets']) =>
      sets.map(({ name, comparison, before, after }) => ({
        name,
        n: comparison.before.n,
        results: [before, after],
        constants: comparison.before.constants,
      }));
    // Where options are scored nothing is written: such a set has no tokens to draw.
    const written = example.sets.filter(({ comparison }) => comparison.before.mode === 'generation');
    return {
      bars: {
        accuracy: milestoneFigures(theme, results(example.sets), MODELS, 320).accuracy,
        tokens: milestoneFigures(theme, results(written), MODELS, 320).tokens,
      },
      curves: learningCurves(theme, [{ name: 'train', ...example.curves }], { population: `seed ${example.seed}` }),
    };
  }, [theme, example]);
  return (
    <div className="home-figures">
      {[bars.accuracy, bars.tokens, ...curves].map((figure) => (
        <div key={figure.id} className="card">
          <Plot figure={figure} label={figure.layout.title?.text.split('<br>')[0] ?? figure.id} />
        </div>
      ))}
    </div>
  );
}

function Content({ example }: { example: RecordedExample }) {
  return (
    <>
      <p className="quiet">
        Recorded by <code className="mono">{example.command}</code> on {example.recorded}; the whole of it took{' '}
        {secondsInWords(example.seconds)}. {example.note} None of it was run on this machine by you.
      </p>
      <div className="home-headlines">
        {example.sets.map((set) => (
          <Headline key={set.name} set={set} />
        ))}
      </div>
      <Figures example={example} />
      <ExampleAnswerPairs answers={example.answers} />
    </>
  );
}

function Contents({ examples }: { examples: readonly RecordedExample[] }) {
  const [asked, setAsked] = useState<string | null>(null);
  // An id of the page is made of it, and may hold no spaces as a title does.
  const placeOf = (example: RecordedExample): string => String(examples.indexOf(example));
  const shown = examples.find((example) => placeOf(example) === asked) ?? examples[0];
  if (shown === undefined) return null;
  return (
    <Tabs value={placeOf(shown)} onChange={setAsked} keepMounted={false} className="home-examples">
      {examples.length > 1 ? (
        <Tabs.List>
          {examples.map((example) => (
            <Tabs.Tab key={example.title} value={placeOf(example)}>
              {example.title}
            </Tabs.Tab>
          ))}
        </Tabs.List>
      ) : null}
      <Tabs.Panel value={placeOf(shown)} className="home-example">
        <Content key={shown.title} example={shown} />
      </Tabs.Panel>
    </Tabs>
  );
}

/** Folded once there are runs: theirs matter more. */
export function Example({ unfolded }: { unfolded: boolean }) {
  const [opened, setOpened] = useState<boolean | null>(null);
  const shown = opened ?? unfolded;
  const { data, error, refresh } = useQuery('app.examples', {}, { enabled: shown });
  return (
    <section className="home-example" aria-labelledby="home-example-title">
      <header className="home-head">
        <h2 id="home-example-title">Recorded experiments</h2>
        <Badge color="amber">recorded examples</Badge>
        <Button className="home-fold" variant="default" aria-expanded={shown} onClick={() => setOpened(!shown)}>
          {shown ? 'Hide the examples' : 'Show the examples'}
        </Button>
      </header>
      {shown && error !== null ? <Failed what="The examples could not be read" error={error} retry={refresh} /> : null}
      {shown && data === null && error === null ? <Loading what="Reading the examples" /> : null}
      {shown && data !== null ? <Contents examples={data.examples} /> : null}
    </section>
  );
}
