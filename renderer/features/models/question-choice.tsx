/** The question that a model is tried on: one of a data set, or one that is typed. */
import { Button, Select, TextInput } from '@mantine/core';
import { Dices } from 'lucide-react';
import { useDeferredValue, useState } from 'react';
import type { Question } from '../../../shared/question.ts';
import { useParameter } from '../../app/address.ts';
import { Failed, Loading } from '../../app/states.tsx';
import { useQuery } from '../../rpc/use-query.ts';

/** Drawn at a time. */
const SHOWN = 6;

/** The data set and the question are in the address; `onChoose` hears of the whole question. */
export function QuestionFromSet({ chosen, onChoose }: { chosen: Question | null; onChoose: (question: Question) => void }) {
  const [data, setData] = useParameter('data');
  const [, setId] = useParameter('question');
  const [words, setWords] = useState('');
  const [seed, setSeed] = useState(0);
  const search = useDeferredValue(words);
  const sets = useQuery('models.question_sets', {});
  const spec = data ?? 'dosage:test';
  const drawn = useQuery('models.questions', { data: spec, search, seed, n: SHOWN }, { enabled: sets.data !== null });
  if (sets.data === null)
    return sets.error === null ? (
      <Loading what="Looking for data sets" />
    ) : (
      <Failed what="The data sets could not be listed" error={sets.error} />
    );
  const change = (value: string | null): void => {
    setData(value);
    setId(null);
  };
  return (
    <div className="try-choice">
      <div className="try-row">
        <Select
          label="Data set"
          searchable
          allowDeselect={false}
          data={sets.data.map((set) => set.spec)}
          value={spec}
          onChange={change}
          comboboxProps={{ withinPortal: true }}
        />
        <TextInput label="Holding the words" placeholder="any" value={words} onChange={(event) => setWords(event.currentTarget.value)} />
        <Button
          variant="default"
          className="try-draw"
          leftSection={<Dices size={14} aria-hidden="true" />}
          onClick={() => setSeed(seed + 1)}
        >
          Draw others
        </Button>
      </div>
      {drawn.error === null ? null : <Failed what="Questions could not be read" error={drawn.error} />}
      {drawn.data?.length === 0 && !drawn.stale ? <p className="quiet">No question of {spec} holds these words.</p> : null}
      <ul className="try-questions" aria-label={`Questions of ${spec}`} aria-busy={drawn.stale}>
        {drawn.data?.map((question) => (
          <li key={question.id}>
            <button
              type="button"
              aria-pressed={chosen?.id === question.id && chosen.dataset === question.dataset}
              title={question.question}
              onClick={() => {
                if (data === null) setData(spec);
                setId(question.id);
                onChoose(question);
              }}
            >
              {question.question}
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}
