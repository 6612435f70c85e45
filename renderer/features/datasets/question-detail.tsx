/** One question whole: passages, options with the right one marked, worked solution and facts. Always as text. */
import { ActionIcon, Badge, Group, Tooltip } from '@mantine/core';
import { Check, ChevronDown, ChevronUp } from 'lucide-react';
import { optionLetter, type Question } from '../../../shared/question.ts';
import { Empty, Failed, Loading } from '../../app/states.tsx';
import { useQuery } from '../../rpc/use-query.ts';
import { countText, fieldWords } from './field-words.ts';
import { PromptDetail } from './prompt-detail.tsx';
import type { QuestionPlace } from './question-table.tsx';
import { Hint } from './term.tsx';

function Options({ question }: { question: Question }) {
  if (question.options === undefined) return null;
  return (
    <ol className="datasets-options">
      {question.options.map((text, index) => {
        const letter = optionLetter(index);
        const right = letter === question.gold;
        return (
          <li key={letter} className={right ? 'datasets-right' : undefined}>
            <span className="datasets-letter">{letter}</span>
            <span className="verbatim">{text}</span>
            {right ? <Check size={14} aria-label="right answer" /> : null}
          </li>
        );
      })}
    </ol>
  );
}

function Whole({ question }: { question: Question }) {
  const { contexts, solution, meta = {}, gold, unit, words, kind } = question;
  return (
    <>
      {contexts?.map((text, index) => (
        <details key={index} className="datasets-passage" open={contexts.length === 1}>
          <summary>
            Passage {index + 1} of {contexts.length}
          </summary>
          <p className="verbatim datasets-text">{text}</p>
        </details>
      ))}
      <p className="verbatim datasets-text">{question.question}</p>
      <Options question={question} />
      <dl className="datasets-facts">
        <dt>
          Gold answer <Hint about="the gold answer">What counts as right. It is never part of what the model is given.</Hint>
        </dt>
        <dd className="verbatim">
          {gold === '' ? <span className="quiet">withheld by the source: this question cannot be scored</span> : gold}
          {unit ? ` ${unit}` : ''}
        </dd>
        {words === undefined ? null : (
          <>
            <dt>May be answered</dt>
            <dd>{words.join(', ')}</dd>
          </>
        )}
        <dt>Answer kind</dt>
        <dd>{kind}</dd>
        <dt>Id</dt>
        <dd className="mono verbatim">{question.id}</dd>
        <dt>Split</dt>
        <dd>{question.split}</dd>
        {Object.entries(meta).map(([fact, value]) => [
          <dt key={fact}>{fieldWords(fact)}</dt>,
          <dd key={`${fact}=`} className="verbatim">
            {value}
          </dd>,
        ])}
      </dl>
      {solution === undefined ? null : (
        <details className="datasets-passage">
          <summary>Worked solution of the source</summary>
          <p className="verbatim datasets-text">{solution}</p>
        </details>
      )}
    </>
  );
}

export function QuestionDetail({ data, split, place }: { data: string; split: string; place: QuestionPlace & { count: number } }) {
  const { id, active, count, setActive } = place;
  const asked = useQuery('datasets.question', { data, split, id: id ?? '' }, { enabled: id !== null });
  if (id === null) {
    return (
      <Empty title="No question chosen">
        Choose a row with the arrow keys or the mouse. Its whole text stands here, with its options, its gold answer and what the source
        says about it.
      </Empty>
    );
  }
  if (asked.error !== null) return <Failed what="This question cannot be shown" error={asked.error} retry={asked.refresh} />;
  if (asked.data === null) return <Loading what="Reading the question" />;
  return (
    <article className="datasets-detail" aria-label={`Question ${asked.data.id}`}>
      <Group justify="space-between" wrap="nowrap">
        <span className="quiet small">
          {/* The text of the question before stands until the next one is here: no place is claimed for it. */}
          {asked.data.id !== id
            ? '…'
            : active === null
              ? 'not among the questions shown'
              : `${countText(active + 1)} of ${countText(count)}`}
        </span>
        <Group gap="xs" wrap="nowrap">
          {asked.data.meta?.subject === undefined ? null : <Badge tt="none">{asked.data.meta.subject}</Badge>}
          <Tooltip label="Previous question (k)">
            <ActionIcon
              aria-label="Previous question"
              disabled={active === null || active === 0}
              onClick={() => setActive((active ?? 1) - 1)}
            >
              <ChevronUp size={16} />
            </ActionIcon>
          </Tooltip>
          <Tooltip label="Next question (j)">
            <ActionIcon
              aria-label="Next question"
              disabled={active === null || active >= count - 1}
              onClick={() => setActive((active ?? 0) + 1)}
            >
              <ChevronDown size={16} />
            </ActionIcon>
          </Tooltip>
        </Group>
      </Group>
      <Whole question={asked.data} />
      <PromptDetail question={asked.data} />
    </article>
  );
}
