/** The prompt that a run put a question with: what the model read, its special tokens as chips, and how many tokens it is. */
import { Switch } from '@mantine/core';
import type { AskedPrompt } from '../../../../shared/prompt-view.ts';
import type { Phase } from '../../../../shared/run-live.ts';
import { useParameter } from '../../../app/address.ts';
import { Failed, Loading } from '../../../app/states.tsx';
import { useQuery } from '../../../rpc/use-query.ts';
import { Folded } from '../../../tokens/folded.tsx';
import { TokenText } from '../../../tokens/token-text.tsx';

function Words({ words, why }: Extract<AskedPrompt, { seen: false }>) {
  return (
    <>
      <p className="state-unverifiable small" role="note">
        {words === null ? 'The prompt cannot be shown' : 'The words alone, without what the chat template puts round them'}: {why}
      </p>
      {words === null ? null : (
        <Folded what="the prompt">
          <p className="verbatim group-question">{words}</p>
        </Folded>
      )}
    </>
  );
}

/** `rotated`: some of the answers shown were to the question with its options in another order. */
export function AskedPromptView({ run, phase, question, rotated }: { run: string; phase: Phase; question: string; rotated: boolean }) {
  const [boundaries, setBoundaries] = useParameter('boundaries');
  const { data, error, stale, refresh } = useQuery('runs.prompt', { run, phase, question });
  if (error !== null) return <Failed what="The prompt could not be made" error={error} retry={refresh} />;
  if (data === null || stale) return <Loading what="Starting the model's tokenizer" />;
  if (!data.seen) return <Words {...data} />;
  return (
    <>
      <div className="group-prompt-facts quiet small">
        <span>{data.count} tokens</span>
        {data.tokenizer === 'model' ? <span>by the tokenizer in the model's folder as it is now</span> : null}
        {rotated ? <span>rotated answers were asked with the options moved round</span> : null}
        <Switch
          size="xs"
          label="Token boundaries"
          checked={boundaries === 'on'}
          onChange={(event) => setBoundaries(event.currentTarget.checked ? 'on' : null)}
        />
      </div>
      <Folded key={question} what="the prompt">
        <TokenText pieces={data.pieces} boundaries={boundaries === 'on'} label="Prompt as the model saw it" />
      </Folded>
    </>
  );
}
