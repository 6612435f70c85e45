/** Sampling on the wasm decoder: the arithmetic of a row does not depend on its neighbours, so what is sampled is the same to the last bit. */
import { tokenUniform } from '../../../shared/random.ts';
import type { GenerateEvent, GeneratePrompt, GenerateRequest } from '../policy.ts';
import type { ModelWeights } from './adapter.ts';
import { DecodeStep } from './decode-step.ts';
import type { Decoder } from './decoder.ts';
import { generateRows, type Row } from './generation-loop.ts';
import type { Address } from './kernels.ts';
import { slotsFor } from './memory-needs.ts';
import { packPrompts } from './packing.ts';
import { drawFiltered, isFiltered } from './sampling.ts';
import { Scope } from './scope.ts';

/** Events of a request under these weights. Errors: see `checkRequest`; the signal's reason when aborted. */
export function generate(
  decoder: Decoder,
  weights: ModelWeights,
  request: GenerateRequest,
  maxTokens: number,
): AsyncGenerator<GenerateEvent, void, void> {
  const { context, vocabulary } = decoder.shape;
  return generateRows(request, { context, vocabulary, maxTokens }, (rows, capacity) => {
    const slots = slotsFor(decoder.config, rows, capacity, request.batch_size);
    const scope = new Scope(decoder.backend);
    const step = new DecodeStep(decoder, scope, weights, slots, capacity);
    const sampler = new Sampler(decoder, scope, request, slots);
    return {
      slots,
      prefill: (groups) => prefill(decoder, weights, step, sampler, groups, request.prompts),
      step(due) {
        step.run(
          due.map((row) => row.ids[row.ids.length - 1] as number),
          due.map((row) => row.start + row.ids.length - 1),
          due.map((row) => row.slot),
        );
        sampler.draw(due, step.logits.address);
      },
      dispose: () => scope.dispose(),
    };
  });
}

/** Computes prompts, fills their rows' slots and draws each row's first token. */
function prefill(
  decoder: Decoder,
  weights: ModelWeights,
  step: DecodeStep,
  sampler: Sampler,
  groups: Row[][],
  prompts: readonly GeneratePrompt[],
): void {
  const scope = new Scope(decoder.backend);
  try {
    const batch = packPrompts(groups.map(([row]) => (prompts[(row as Row).prompt] as GeneratePrompt).ids));
    const { hidden } = decoder.forward(scope, weights, batch, {
      onLayer: (layer, qkv) => {
        groups.forEach((rows, g) => {
          const [from, to] = [batch.starts[g] as number, batch.starts[g + 1] as number];
          const slots = rows.map((row) => row.slot);
          step.fill(layer, qkv.address + 4 * from * qkv.width, to - from, slots);
        });
      },
    });
    const { normed } = decoder.readout(scope, weights, hidden, scope.integersOf(batch.rows), groups.length);
    const { vocabulary } = decoder.shape;
    const logits = scope.matrix(groups.length, vocabulary);
    step.project(normed.address, groups.length, logits.address);
    const each = scope.matrix(Math.max(...groups.map((rows) => rows.length)), vocabulary);
    groups.forEach((rows, g) => {
      for (let i = 0; i < rows.length; i++) {
        decoder.kernels.copy(each.address + 4 * i * vocabulary, logits.address + 4 * g * vocabulary, vocabulary);
      }
      sampler.draw(rows, each.address);
    });
  } finally {
    scope.dispose();
  }
}

/** Draws a token for each row of logits and appends it, with its log-probability, to the row. */
class Sampler {
  private readonly decoder: Decoder;
  private readonly scope: Scope;
  private readonly request: GenerateRequest;
  private readonly uniforms: Address;
  private readonly ids: Address;
  private readonly logprobs: Address;

  constructor(decoder: Decoder, scope: Scope, request: GenerateRequest, rows: number) {
    this.decoder = decoder;
    this.scope = scope;
    this.request = request;
    this.uniforms = scope.floats(rows);
    this.ids = scope.integers(rows);
    this.logprobs = scope.floats(rows);
  }

  draw(rows: readonly Row[], logits: Address): void {
    const k = this.decoder.kernels;
    const { vocabulary } = this.decoder.shape;
    const { sampling, prompts } = this.request;
    const n = rows.length;
    const uniform = (row: Row): number => tokenUniform(sampling.seed, row.stream, row.sample, row.ids.length);
    if (sampling.temperature === 0) {
      k.greedyRows(logits, this.ids, this.logprobs, n, vocabulary);
    } else {
      const uniforms = this.scope.viewFloats(this.uniforms, n);
      for (let i = 0; i < n; i++) uniforms[i] = uniform(rows[i] as Row);
      k.sampleRows(logits, this.uniforms, this.ids, this.logprobs, n, vocabulary, 1 / sampling.temperature);
    }
    const ids = this.scope.viewIntegers(this.ids, n);
    const logprobs = this.scope.viewFloats(this.logprobs, n);
    const filtered = sampling.temperature > 0 && isFiltered(sampling);
    rows.forEach((row, i) => {
      let id = ids[i] as number;
      let logprob = logprobs[i] as number;
      if (id < 0) throw new Error(`prompt ${prompts[row.prompt]?.key}: the model's output is not finite; its weights are damaged`);
      if (filtered) {
        const probabilities = this.scope.viewFloats(logits + 4 * i * vocabulary, vocabulary);
        id = drawFiltered(probabilities, sampling, uniform(row));
        logprob = Math.log(probabilities[id] as number);
      }
      row.ids.push(id);
      row.logprobs.push(logprob);
    });
  }
}
