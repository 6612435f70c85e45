/** An answer as it was written, the extracted answer underlined in place, and how it was judged. */
import { Tooltip } from '@mantine/core';
import { figureText, signed } from '../../../../shared/figures/number-text.ts';
import type { ShownAnswer } from '../../../../shared/run-live.ts';
import type { CompletionRecord } from '../../../../shared/run-record.ts';
import { ModelText } from './model-text.tsx';

const VERDICT = {
  correct: { sign: '✓', word: 'right', state: 'done' },
  wrong: { sign: '✕', word: 'wrong', state: 'failed' },
  invalid: { sign: '?', word: 'invalid', state: 'unverifiable' },
} as const;

const verdictOf = ({ correct, answer }: CompletionRecord): keyof typeof VERDICT =>
  correct ? 'correct' : answer === 'invalid' ? 'invalid' : 'wrong';

const FINISH: Record<CompletionRecord['finish'], string | null> = { stop: null, length: 'cut off at the cap' };

function Verdict({ right, label, hint }: { right: boolean; label: string; hint: string }) {
  return (
    <Tooltip label={hint}>
      <span className={right ? 'state-done' : 'state-failed'}>
        {label} {right ? '✓' : '✕'}
      </span>
    </Tooltip>
  );
}

export function AnswerCard({ answer: { record, span, legacy10, legacy50 } }: { answer: ShownAnswer }) {
  const verdict = VERDICT[verdictOf(record)];
  const parts = Object.entries(record.rewards);
  const cut = FINISH[record.finish];
  return (
    <article className="card answer" aria-label={`Answer ${record.sample + 1}, ${verdict.word}`}>
      <header className="answer-head">
        <span className={`state-${verdict.state}`}>
          <span aria-hidden="true">{verdict.sign}</span> {verdict.word}
        </span>
        {record.pass ? <span className="quiet">{record.pass}</span> : null}
        {cut === null ? null : <span className="state-unverifiable">{cut}</span>}
        <span className="answer-tokens quiet">{record.tokens} tokens</span>
      </header>
      <ModelText text={record.text} span={span} />
      <dl className="answer-facts">
        <div>
          <dt>extracted</dt>
          <dd>
            {record.answer === 'invalid' ? 'nothing' : record.answer} <span className="quiet">by {record.method}</span>
          </dd>
        </div>
        <div>
          <dt>graders</dt>
          <dd className="answer-graders">
            <Verdict
              right={record.correct}
              label="strict"
              hint="Only what is committed to after the last “Answer:” marker counts; the grader never sees the right answer while it extracts."
            />
            {legacy10 === null ? null : (
              <Verdict
                right={legacy10}
                label="legacy 10"
                hint="The original project's grader: the right letter or word anywhere in the first 10 characters."
              />
            )}
            {legacy50 === null ? null : <Verdict right={legacy50} label="legacy 50" hint="The same over the first 50 characters." />}
          </dd>
        </div>
        {record.reward === null ? null : (
          <div>
            <dt>reward</dt>
            <dd>
              <strong>{figureText(record.reward)}</strong>
              {parts.length > 0 ? (
                <span className="quiet"> = {parts.map(([name, value]) => `${name} ${figureText(value)}`).join(', ')} before weights</span>
              ) : null}
            </dd>
          </div>
        )}
        {record.advantage === null ? null : (
          <div>
            <dt>
              <Tooltip label="How far its reward lies above the mean of its group: what pushes the answer's probability up or down.">
                <span>advantage</span>
              </Tooltip>
            </dt>
            <dd>{signed(figureText(record.advantage))}</dd>
          </div>
        )}
      </dl>
    </article>
  );
}
