/** The demo's recorded result: what the program shows of an experiment, before the reader has one of their own. */
import { Badge, Button } from '@mantine/core';
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
    const sets = example.sets.map(({ name, comparison, before, after }) => ({
      name,
      n: comparison.before.n,
      results: [before, after],
      constants: comparison.before.constants,
    }));
    return {
      bars: milestoneFigures(theme, sets, MODELS, 320),
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

/** Folded once there are runs: theirs matter more. */
export function Example({ unfolded }: { unfolded: boolean }) {
  const [opened, setOpened] = useState<boolean | null>(null);
  const shown = opened ?? unfolded;
  const { data, error, refresh } = useQuery('app.example', {}, { enabled: shown });
  return (
    <section className="home-example" aria-labelledby="home-example-title">
      <header className="home-head">
        <h2 id="home-example-title">An experiment with the model that comes with the program</h2>
        <Badge color="amber">recorded example</Badge>
        <Button className="home-fold" variant="default" aria-expanded={shown} onClick={() => setOpened(!shown)}>
          {shown ? 'Hide the example' : 'Show the example'}
        </Button>
      </header>
      {shown && data !== null ? (
        <p className="quiet">
          Recorded by <code className="mono">{data.command}</code> on {data.recorded}; the whole of it took {secondsInWords(data.seconds)}.
          One seed, a model of about one million parameters: it shows what the workbench measures, not what GRPO can do. None of it was run
          on this machine by you.
        </p>
      ) : null}
      {shown && error !== null ? <Failed what="The example could not be read" error={error} retry={refresh} /> : null}
      {shown && data === null && error === null ? <Loading what="Reading the example" /> : null}
      {shown && data !== null ? <Content example={data} /> : null}
    </section>
  );
}
