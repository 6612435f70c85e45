/** One question whole, and both answers side by side. */
import { optionLetter } from '../../../shared/question.ts';
import type { ComparedAnswer, ComparedQuestion } from '../../../shared/rpc/compare.ts';
import { Failed, Loading } from '../../app/states.tsx';
import { useQuery } from '../../rpc/use-query.ts';
import { AnswerText, ownWords } from './answer-text.tsx';
import type { Choice } from './choice.ts';

function Strict({ answer: { answer, correct, method } }: { answer: ComparedAnswer }) {
  const rule = (
    <>
      by the rule <span className="mono">{method}</span>
    </>
  );
  if (answer === 'invalid')
    return (
      <span className="state-unverifiable">
        <span aria-hidden="true">∅</span> invalid: no answer found ({method})
      </span>
    );
  return correct ? (
    <span className="state-done">
      <span aria-hidden="true">✓</span> right: <strong>{answer}</strong> {rule}
    </span>
  ) : (
    <span className="state-failed">
      <span aria-hidden="true">✕</span> wrong: <strong>{answer}</strong> {rule}
    </span>
  );
}

function Original({ answer: { legacy10, legacy50 } }: { answer: ComparedAnswer }) {
  if (legacy50 === null) return <p className="quiet small">The original grader cannot grade numbers.</p>;
  const word = (right: boolean | null): string => (right ? '✓ right' : '✕ wrong');
  return (
    <p className="quiet small">
      Original grader: {word(legacy10)} in the first 10 characters, {word(legacy50)} in the first 50.
    </p>
  );
}

function Answer({ answer, other, diff, legacy }: { answer: ComparedAnswer; other: ComparedAnswer; diff: boolean; legacy: boolean }) {
  return (
    <article className="card compare-answer" aria-label={`Answer of ${answer.name}`}>
      <header>
        <strong>{answer.name}</strong>
        <span className="quiet">
          {answer.tokens} tokens{answer.truncated ? ', cut at the limit' : ''}
        </span>
      </header>
      <p>
        <Strict answer={answer} />
      </p>
      {legacy ? <Original answer={answer} /> : null}
      <AnswerText text={answer.text} span={answer.span} own={diff ? ownWords(answer.text, other.text) : []} />
    </article>
  );
}

function Asked({ question }: { question: ComparedQuestion }) {
  const { contexts, options, gold, unit, solution } = question;
  return (
    <section className="compare-asked" aria-label="Question">
      {contexts.length === 0 ? null : (
        <details>
          <summary>{contexts.length === 1 ? 'A passage was' : `${contexts.length} passages were`} shown before it</summary>
          {contexts.map((context) => (
            <p key={context} className="verbatim compare-text">
              {context}
            </p>
          ))}
        </details>
      )}
      <AnswerText text={question.question} span={null} />
      {options.length === 0 ? null : (
        <ol className="compare-options">
          {options.map((option, i) => (
            <li key={option} className={optionLetter(i) === gold ? 'compare-gold' : ''}>
              <span className="mono">{optionLetter(i)}</span> <span className="verbatim">{option}</span>
              {optionLetter(i) === gold ? <span className="state-done"> ✓ gold</span> : null}
            </li>
          ))}
        </ol>
      )}
      <p>
        Gold answer: <strong>{gold}</strong>
        {unit ? ` ${unit}` : ''} <span className="quiet mono">{question.id}</span>
      </p>
      {solution === null ? null : (
        <details>
          <summary>Worked solution (never shown to a model)</summary>
          <p className="verbatim compare-text">{solution}</p>
        </details>
      )}
    </section>
  );
}

export interface QuestionDetailProps {
  choice: Choice;
  after: string;
  id: string;
  diff: boolean;
  legacy: boolean;
}

export function QuestionDetail({ choice, after, id, diff, legacy }: QuestionDetailProps) {
  const { data, error, stale, refresh } = useQuery('compare.question', { ...choice.input, after, id });
  if (error !== null) return <Failed what="This question cannot be shown" error={error} retry={refresh} />;
  if (data === null) return <Loading what="Reading the answers" />;
  return (
    <div className="compare-question" aria-busy={stale}>
      <Asked key={data.id} question={data} />
      <div className="compare-answers">
        <Answer key={`before ${data.id}`} answer={data.before} other={data.after} diff={diff} legacy={legacy} />
        <Answer key={`after ${data.id}`} answer={data.after} other={data.before} diff={diff} legacy={legacy} />
      </div>
    </div>
  );
}
