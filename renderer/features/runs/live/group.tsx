/** One question at one step: what was asked, and every answer with its reward and what graders say. */
import { Button, SegmentedControl } from '@mantine/core';
import { useState } from 'react';
import { figureText } from '../../../../shared/figures/number-text.ts';
import { optionLetter, type Question } from '../../../../shared/question.ts';
import type { AnswerGroup, ShownAnswer } from '../../../../shared/run-live.ts';
import { useParameter } from '../../../app/address.ts';
import { Failed, Loading } from '../../../app/states.tsx';
import { useQuery } from '../../../rpc/use-query.ts';
import { AnswerCard } from './answer-card.tsx';
import { AskedPromptView } from './asked-prompt.tsx';

function QuestionText({ question }: { question: Question }) {
  const [shown, setShown] = useState(false);
  const contexts = question.contexts ?? [];
  return (
    <>
      {contexts.length > 0 ? (
        <div>
          <Button variant="default" size="compact-xs" onClick={() => setShown(!shown)} aria-expanded={shown}>
            {shown ? 'Hide' : 'Show'} {contexts.length} {contexts.length === 1 ? 'passage' : 'passages'}
          </Button>
          {shown ? <p className="verbatim">{contexts.join('\n\n')}</p> : null}
        </div>
      ) : null}
      <p className="verbatim group-question">{question.question}</p>
      {question.options ? (
        <ol className="group-options">
          {question.options.map((option, i) => (
            <li key={optionLetter(i)} className={question.gold === optionLetter(i) ? 'state-done' : undefined}>
              <span className="mono">{optionLetter(i)}</span> {option}
              {question.gold === optionLetter(i) ? ' ✓' : ''}
            </li>
          ))}
        </ol>
      ) : null}
    </>
  );
}

const isRotated = ({ record }: ShownAnswer): boolean => record.pass?.startsWith('rotation:') ?? false;

export function GroupView({ run, group }: { run: string; group: AnswerGroup }) {
  const { phase, step, question } = group;
  const [asText, setShows] = useParameter('as');
  const shows = asText === 'question' ? 'question' : 'prompt';
  const { data, error, stale, refresh } = useQuery('runs.group', { run, phase, step, question });
  if (data === null || (stale && data.id !== question))
    return error === null ? (
      <Loading what="Reading the answers" />
    ) : (
      <Failed what="The answers could not be read" error={error} retry={refresh} />
    );
  const known = data.question;
  return (
    <div className="group">
      <header className="group-head">
        <h3 className="mono">{question}</h3>
        <span className="quiet">
          step {step} · {group.correct} of {group.n} right · mean reward {figureText(group.mean_reward)} · {figureText(group.mean_tokens)}{' '}
          tokens
        </span>
        {known === null ? null : (
          <span>
            correct answer <strong>{known.gold}</strong>
            {known.unit ? ` ${known.unit}` : ''}
          </span>
        )}
      </header>
      <section className="card group-prompt" aria-label="What was asked">
        {known === null ? (
          <p className="quiet">The question cannot be shown: {data.missing}.</p>
        ) : (
          <>
            <SegmentedControl
              className="group-prompt-which"
              size="xs"
              aria-label="Show"
              data={[
                { value: 'prompt', label: 'Prompt' },
                { value: 'question', label: 'Question' },
              ]}
              value={shows}
              onChange={(value) => setShows(value === 'prompt' ? null : value)}
            />
            {shows === 'question' ? (
              <QuestionText question={known} />
            ) : (
              <AskedPromptView run={run} phase={phase} question={question} rotated={data.answers.some(isRotated)} />
            )}
          </>
        )}
      </section>
      <div className="group-answers">
        {data.answers.map((answer) => (
          <AnswerCard key={`${answer.record.pass ?? ''}/${answer.record.sample}`} answer={answer} />
        ))}
      </div>
    </div>
  );
}
