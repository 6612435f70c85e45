/** What the headers of a model's weight files say: enough to refuse a torn or foreign file without reading gigabytes. */
import { parametersOf } from './expected-tensors.ts';
import type { ModelConfig } from './model-config.ts';
import { findWeights } from './weight-files.ts';

export interface WeightHeaders {
  /** Numbers in the weights; a tied output layer is not counted twice. */
  parameters: number;
  /** Number formats found, sorted. */
  dtypes: string[];
  /** Bytes of the files. */
  bytes: number;
}

/**
 * Reads the headers of a folder's weight files and checks that every tensor which the config calls for is there with its shape, and no
 * other. Errors: CheckpointError naming file or tensor, and the finding.
 */
export async function readWeightHeaders(folder: string, config: ModelConfig): Promise<WeightHeaders> {
  const { dtypes, bytes } = await findWeights(folder, config);
  return { parameters: parametersOf(config), dtypes, bytes };
}
