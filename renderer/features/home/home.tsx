/** The view "home": what is running, what ended since the last look, three ways to go on, and the recorded example. */
import { useRunList } from '../../app/run-list.ts';
import { Failed, Loading } from '../../app/states.tsx';
import { Example } from './example.tsx';
import './home.css';
import { RunRows } from './run-rows.tsx';
import { useLastLook } from './use-last-look.ts';
import { Ways } from './ways.tsx';

export default function Home() {
  const { list, at, error } = useRunList();
  const lastLook = useLastLook();
  if (list === null)
    return error === null ? <Loading what="Reading the runs folder" /> : <Failed what="The runs could not be read" error={error} />;
  const first = list.runs.length === 0;
  return (
    <div className="home">
      {error === null ? null : <Failed what="The runs could not be read" error={error} at={at} />}
      {first ? (
        <section className="home-welcome">
          <h2>Can a small language model answer as well with fewer tokens?</h2>
          <p>
            Measure a model on medical and arithmetic questions, train it with GRPO so that it says less, and compare every answer before
            and after. There are no runs yet; below is what one small experiment looks like.
          </p>
        </section>
      ) : null}
      <Ways />
      {first ? null : <RunRows runs={list.runs} lastLook={lastLook} />}
      <Example unfolded={first} />
    </div>
  );
}
