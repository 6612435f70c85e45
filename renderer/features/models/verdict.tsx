/** What the grader says of a finished answer, and how fast it came. */
import { countText, figureText } from '../../../shared/figures/number-text.ts';
import type { AnswerResult } from '../../../shared/model-answer.ts';
import type { Question } from '../../../shared/question.ts';
import { Term } from './help.tsx';
import type { Answer } from './use-answer.ts';

function Verdict({ result, question }: { result: AnswerResult; question: Question }) {
  const unit = question.unit ? ` ${question.unit}` : '';
  if (result.answer === 'invalid') {
    return (
      <span className="state-unverifiable">
        <span aria-hidden="true">∅</span> no answer found ({result.method})
      </span>
    );
  }
  const answer = (
    <>
      answer <strong>{result.answer}</strong> by the rule <span className="mono">{result.method}</span>
    </>
  );
  if (result.correct === null) return <span>{answer}</span>;
  return result.correct ? (
    <span className="state-done">
      <span aria-hidden="true">✓</span> correct: {answer}
    </span>
  ) : (
    <span className="state-failed">
      <span aria-hidden="true">✕</span> wrong: {answer}; right is {question.gold}
      {unit}
    </span>
  );
}

/** Tokens a second: of the service where it is done, else by what came so far. */
function speedOf({ result, tokens, first, last }: Answer): number | null {
  if (result !== null) return result.seconds > 0 ? result.tokens / result.seconds : null;
  if (first === null || last === null || last - first < 100) return null;
  return (1000 * tokens.length) / (last - first);
}

export function AnswerSummary({ answer, question }: { answer: Answer; question: Question }) {
  const { state, result, tokens, promptTokens, device } = answer;
  const speed = speedOf(answer);
  return (
    <div className="answer-summary">
      <span role="status">
        {state === 'loading' ? <span className="quiet">Loading the model …</span> : null}
        {state === 'writing' ? <span className="state-live">● writing</span> : null}
        {state === 'stopped' ? <span className="state-unverifiable">■ stopped by you; what was written stands</span> : null}
        {state === 'done' && result !== null ? <Verdict result={result} question={question} /> : null}
      </span>
      <span className="answer-counts quiet small">
        {promptTokens === null ? null : <span>prompt {countText(promptTokens)} tokens</span>}
        <span>answer {countText(tokens.length)} tokens</span>
        {speed === null ? null : (
          <span>
            {figureText(speed)} tokens/s on {device}
          </span>
        )}
        {result?.finish === 'length' ? (
          <span className="state-unverifiable">
            <Term help="The answer was longer than the limit above and was cut there.">cut at the limit</Term>
          </span>
        ) : null}
      </span>
    </div>
  );
}
