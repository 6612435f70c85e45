/** A question as the model gets it: the rendered prompt, how many tokens it has, and where one ends and the next begins. */
import { Group, Select, Switch } from '@mantine/core';
import { useState } from 'react';
import type { ModelList } from '../../../shared/model-list.ts';
import type { TokenPiece } from '../../../shared/prompt-view.ts';
import type { Question } from '../../../shared/question.ts';
import { useParameter } from '../../app/address.ts';
import { Failed, Loading } from '../../app/states.tsx';
import { useQuery } from '../../rpc/use-query.ts';
import { countText } from './field-words.ts';
import { Hint } from './term.tsx';

function Pieces({ pieces, split }: { pieces: readonly TokenPiece[]; split: boolean }) {
  return (
    <p className="verbatim datasets-prompt">
      {pieces.map(({ id, text, kind }, place) =>
        kind === 'text' ? (
          <span
            key={`${place} ${id}`}
            className={split ? (place % 2 === 0 ? 'datasets-token-even' : 'datasets-token-odd') : undefined}
            title={split ? `token ${id}` : undefined}
          >
            {text}
          </span>
        ) : (
          <span
            key={`${place} ${id}`}
            className="datasets-token-control"
            title={`${kind === 'control' ? 'special token' : 'part of a character'}, ${id}`}
          >
            {text}
          </span>
        ),
      )}
    </p>
  );
}

function Rendered({ question, model }: { question: Question; model: string }) {
  const asked = useQuery('models.render', { model, question });
  const [split, setSplit] = useState(false);
  if (asked.error !== null) return <Failed what="The prompt cannot be made with this model" error={asked.error} retry={asked.refresh} />;
  if (asked.data === null) return <Loading what="Starting the model's tokenizer" />;
  const { pieces, count, context } = asked.data;
  const tooLong = count > context;
  return (
    <>
      <Group justify="space-between" className="small">
        <span className={tooLong ? 'state-failed' : 'quiet'}>
          {countText(count)} tokens of {countText(context)}
          {tooLong ? ': longer than the model can take' : ''}
        </span>
        <Switch label="Show token boundaries" checked={split} onChange={(event) => setSplit(event.currentTarget.checked)} />
      </Group>
      <Pieces pieces={pieces} split={split} />
    </>
  );
}

const label = ({ name, run }: ModelList['models'][number]): string =>
  run === null ? name : `${name}${run.step === null ? '' : `, step ${run.step}`}`;

export function PromptDetail({ question }: { question: Question }) {
  const models = useQuery('models.list', {});
  const [asked, setAsked] = useParameter('model');
  if (models.error !== null && models.data === null)
    return <Failed what="The models could not be listed" error={models.error} retry={models.refresh} />;
  if (models.data === null) return <Loading what="Listing the models" />;
  const list = models.data.models;
  const chosen = list.find(({ id }) => id === asked) ?? list[0];
  if (chosen === undefined) return <p className="quiet">There is no model here yet, so there is no tokenizer to show the prompt with.</p>;
  return (
    <section className="datasets-model" aria-label="As the model sees it">
      <Group justify="space-between" wrap="nowrap">
        <h3>
          As the model sees it{' '}
          <Hint about="the prompt">The question put into the model's chat template, cut into the tokens that it reads.</Hint>
        </h3>
        <Select
          aria-label="Model whose prompt is shown"
          w={140}
          data={list.map((one) => ({ value: one.id, label: label(one) }))}
          value={chosen.id}
          allowDeselect={false}
          searchable
          onChange={setAsked}
        />
      </Group>
      <Rendered question={question} model={chosen.id} />
    </section>
  );
}
