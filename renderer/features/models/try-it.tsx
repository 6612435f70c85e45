/** The try-it box: a question, how to draw, and the answer as it is written. */
import { Button, SegmentedControl } from '@mantine/core';
import { Play, Square } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { optionLetter, type Question } from '../../../shared/question.ts';
import type { ModelView } from '../../../shared/rpc/models.ts';
import { useParameter } from '../../app/address.ts';
import { Failed } from '../../app/states.tsx';
import { useQuery } from '../../rpc/use-query.ts';
import { Folded } from '../../tokens/folded.tsx';
import { AnswerTokens } from './answer-view.tsx';
import { QuestionFromSet } from './question-choice.tsx';
import { type AnswerSettings, SamplingFields } from './sampling-fields.tsx';
import { TypedQuestion } from './typed-question.tsx';
import { useAnswer } from './use-answer.ts';
import { AnswerSummary } from './verdict.tsx';

const START: AnswerSettings = { temperature: 0, top_p: 1, top_k: 0, seed: 42, max_completion_length: 256 };

function WholeQuestion({ question }: { question: Question }) {
  return (
    <section className="card models-text" aria-label="The question">
      <Folded what="the question">
        <div className="verbatim">
          {question.contexts?.map((text) => `${text}\n\n`)}
          {question.question}
          {question.options?.map((text, place) => `\n${optionLetter(place)}. ${text}`)}
        </div>
      </Folded>
    </section>
  );
}

/** The question that the address names, else the one just chosen. */
function useChosen(): [Question | null, (question: Question) => void] {
  const [data] = useParameter('data');
  const [id] = useParameter('question');
  const [chosen, setChosen] = useState<Question | null>(null);
  const known = chosen !== null && chosen.id === id;
  const named = useQuery('models.questions', { data: data ?? '', id: id ?? '', n: 1 }, { enabled: data !== null && id !== null && !known });
  if (id === null) return [null, setChosen];
  return [known ? chosen : (named.data?.find((question) => question.id === id) ?? null), setChosen];
}

export function TryIt({ model }: { model: ModelView }) {
  const [from, setFrom] = useParameter('from');
  const [fromSet, choose] = useChosen();
  const [typed, setTyped] = useState<Question | null>(null);
  const [settings, setSettings] = useState<AnswerSettings>(START);
  const [asked, setAsked] = useState<Question | null>(null);
  const { answer, start, stop } = useAnswer();
  const question = from === 'typed' ? typed : fromSet;
  const box = useRef<HTMLElement>(null);
  useEffect(() => {
    if (answer.state === 'writing' || answer.state === 'done') box.current?.scrollIntoView({ block: 'nearest' });
  }, [answer.state]);
  const busy = answer.state === 'loading' || answer.state === 'writing';
  const ask = (): void => {
    if (question === null) return;
    const { max_completion_length, ...sampling } = settings;
    setAsked(question);
    start({ model: model.entry.id, question, sampling, max_completion_length });
  };
  return (
    <div className="models-tab">
      <section className="models-section" aria-label="What is asked">
        <SegmentedControl
          className="try-from"
          aria-label="Where the question comes from"
          data={[
            { value: 'set', label: 'From a data set' },
            { value: 'typed', label: 'Type one' },
          ]}
          value={from === 'typed' ? 'typed' : 'set'}
          onChange={(value) => setFrom(value === 'typed' ? value : null)}
        />
        {from === 'typed' ? <TypedQuestion onChange={setTyped} /> : <QuestionFromSet chosen={fromSet} onChoose={choose} />}
        {from !== 'typed' && fromSet !== null ? <WholeQuestion key={fromSet.id} question={fromSet} /> : null}
        <SamplingFields value={settings} onChange={setSettings} />
        <div className="try-start">
          {busy ? (
            <Button color="red" variant="filled" leftSection={<Square size={14} aria-hidden="true" />} onClick={stop}>
              Stop writing
            </Button>
          ) : (
            <Button leftSection={<Play size={14} aria-hidden="true" />} disabled={question === null} onClick={ask}>
              Write an answer
            </Button>
          )}
          <span className="quiet small">
            {question === null
              ? from === 'typed'
                ? 'Type a question first; one with options needs at least two.'
                : 'Choose a question first.'
              : model.entry.run === null
                ? 'Asked with the instruction of a new run.'
                : 'Asked as the run that made this model asked.'}
          </span>
        </div>
      </section>
      {answer.state === 'none' || asked === null ? null : (
        <section ref={box} className="card models-answer" aria-label="Answer">
          <AnswerSummary answer={answer} question={asked} />
          {answer.state === 'failed' && answer.error !== null ? (
            <Failed what="The answer could not be finished" error={answer.error} retry={ask} />
          ) : null}
          {answer.tokens.length > 0 ? <AnswerTokens answer={answer} /> : null}
        </section>
      )}
    </div>
  );
}
