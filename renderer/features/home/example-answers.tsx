/** Recorded answers before and after, side by side; each pair says by which rule it was chosen. */
import type { ExampleAnswers } from '../../../shared/recorded-example.ts';

function Written({ title, answer: { text, answer, correct, tokens } }: { title: string; answer: ExampleAnswers['before'] }) {
  return (
    <div className="home-answer">
      <p className="small">
        <strong>{title}</strong>{' '}
        <span className={correct ? 'state-done' : 'state-failed'}>
          <span aria-hidden="true">{correct ? '✓' : '✕'}</span> {correct ? 'correct' : 'wrong'}: {answer}
        </span>
        <span className="quiet home-answer-tokens">{tokens} tokens</span>
      </p>
      <p className="verbatim">{text}</p>
    </div>
  );
}

export function ExampleAnswerPairs({ answers }: { answers: readonly ExampleAnswers[] }) {
  return (
    <div className="home-pairs">
      {answers.map(({ why, question, gold, before, after }) => (
        <article key={why} className="card home-pair">
          <h3>{why}</h3>
          <p className="verbatim">
            {question} <span className="quiet">Right answer: {gold}</span>
          </p>
          <div className="home-pair-answers">
            <Written title="Before" answer={before} />
            <Written title="After" answer={after} />
          </div>
        </article>
      ))}
    </div>
  );
}
