/** Whether a model can be used, without loading it. */
import type { ModelCheck } from '../../shared/model-inspection.ts';
import { readModelConfig } from '../policy/model-config.ts';
import { locateModel } from '../policy/model-location.ts';
import { checkTokenizerFits, loadTokenizer } from '../policy/tokenizer.ts';
import { readWeightHeaders } from '../policy/weight-headers.ts';
import { checkpointState } from './checkpoint-state.ts';

/** What was found of a folder, by the state of its files: a list asks again and again. */
const checked = new Map<string, { state: string; check: ModelCheck }>();

/** Whether a model's parts are whole and fit each other. Never an error: what is wrong is said in `problem`. */
export async function checkModel(model: string): Promise<ModelCheck> {
  try {
    const folder = locateModel(model);
    const state = await checkpointState(folder);
    const known = checked.get(folder);
    if (known?.state === state) return { ...known.check, model };
    const check = await checkFolder(model, folder);
    checked.set(folder, { state, check });
    return check;
  } catch (error) {
    return { model, parameters: null, bytes: null, problem: error instanceof Error ? error.message : String(error) };
  }
}

async function checkFolder(model: string, folder: string): Promise<ModelCheck> {
  let found: Pick<ModelCheck, 'parameters' | 'bytes'> = { parameters: null, bytes: null };
  try {
    const config = await readModelConfig(folder);
    const { parameters, bytes } = await readWeightHeaders(folder, config);
    found = { parameters, bytes };
    checkTokenizerFits(await loadTokenizer(folder), config);
    return { model, ...found, problem: null };
  } catch (error) {
    return { model, ...found, problem: error instanceof Error ? error.message : String(error) };
  }
}
