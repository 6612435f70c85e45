/** Tokenizers that the helper process holds for prompts; no weights. */
import { type ModelConfig, readModelConfig } from '../policy/model-config.ts';
import { locateModel } from '../policy/model-location.ts';
import { checkTokenizerFits, loadTokenizer, type Tokenizer } from '../policy/tokenizer.ts';
import { checkpointState } from './checkpoint-state.ts';

/** Tokenizers held: a large vocabulary takes a second to read, and a table asks at every row. */
const TOKENIZERS = 4;

export class KeptTokenizers {
  private readonly kept = new Map<string, { tokenizer: Tokenizer; config: ModelConfig }>();

  /** Errors: CheckpointError where config and tokenizer are broken or do not fit each other. The weights are not looked at. */
  async open(name: string): Promise<{ tokenizer: Tokenizer; config: ModelConfig }> {
    const folder = locateModel(name);
    const state = await checkpointState(folder);
    const known = this.kept.get(state);
    if (known !== undefined) return known;
    const config = await readModelConfig(folder);
    const tokenizer = await loadTokenizer(folder);
    checkTokenizerFits(tokenizer, config);
    for (const old of [...this.kept.keys()].slice(0, -TOKENIZERS + 1 || undefined)) this.kept.delete(old);
    this.kept.set(state, { tokenizer, config });
    return { tokenizer, config };
  }
}
