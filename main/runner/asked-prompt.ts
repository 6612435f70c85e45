/** The prompt of a question as a run has put it: from its frozen config, with its tokenizer. */
import type { RunConfig } from '../../shared/config.ts';
import type { AskedPrompt } from '../../shared/prompt-view.ts';
import type { Question } from '../../shared/question.ts';
import { openDataset } from '../data/catalogue.ts';
import type { Tokenizer } from '../policy/tokenizer.ts';
import { promptingOf } from './evaluation-plan.ts';
import { drawExamples } from './few-shot.ts';
import { rawContext, scoredOptions } from './likelihood-prompt.ts';
import { piecesOf } from './prompt-pieces.ts';
import { userMessage } from './prompts.ts';
import { promptIds, startIds } from './rollout.ts';

interface Opened {
  tokenizer: Tokenizer;
  /** Longest sequence in tokens. */
  config: { max_position_embeddings: number };
}

/** The worked examples before a question, as `openExamples` draws them; the split was checked when the run began. */
async function examplesOf(config: RunConfig, question: Question): Promise<Question[]> {
  if (config.kind !== 'evaluate' || config.few_shot === null) return [];
  const { k, data } = config.few_shot;
  return drawExamples((await openDataset(data)).questions, question, k, config.seed);
}

/** Without what the answer is made to start with: that stands in the answer's text and counts as its tokens. */
function promptOf(config: RunConfig, question: Question, examples: readonly Question[], tokenizer: Tokenizer): number[] {
  if (config.kind === 'evaluate' && config.mode === 'likelihood')
    return [...(scoredOptions(question, tokenizer, promptingOf(config), examples)[0]?.prompt ?? [])];
  const prompting = config.kind === 'evaluate' ? promptingOf(config) : config.prompt;
  const ids = [...promptIds(question, tokenizer, prompting, examples)];
  return ids.slice(0, ids.length - startIds(question, tokenizer, prompting).length);
}

/** What can be said without a tokenizer. */
const wordsOf = (config: RunConfig, question: Question, examples: readonly Question[]): string =>
  config.kind === 'evaluate' && config.mode === 'likelihood'
    ? rawContext(question, promptingOf(config), examples)
    : userMessage(question, config.prompt);

/** By the first of `tokenizers` that can be used; where none can, `why` is the first one's reason. Errors: those of the examples' data set. */
export async function askedPrompt(
  open: (model: string) => Promise<Opened>,
  config: RunConfig,
  question: Question,
  tokenizers: readonly { model: string; of: 'run' | 'model' }[],
): Promise<AskedPrompt> {
  const examples = await examplesOf(config, question);
  let why: string | null = null;
  for (const { model, of } of tokenizers) {
    try {
      const { tokenizer, config: shape } = await open(model);
      const ids = promptOf(config, question, examples, tokenizer);
      const pieces = piecesOf(tokenizer, ids);
      return { seen: true, text: tokenizer.decode(ids), pieces, count: ids.length, context: shape.max_position_embeddings, tokenizer: of };
    } catch (error) {
      why ??= error instanceof Error ? error.message : String(error);
    }
  }
  return { seen: false, words: wordsOf(config, question, examples), why: why ?? 'this run kept no tokenizer' };
}
