/**
 * Our decoder against PyTorch (test/fixtures/make_parity.py), through the Policy contract alone, so that any backend can be put in.
 * Each part is also taken out, one at a time, in the checkpoint, the objective or the optimizer: then the same comparison must fail
 * by far more than the tolerance.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Checkpoint, readCheckpoint } from '../../main/policy/checkpoint.ts';
import type { ModelConfig } from '../../main/policy/model-config.ts';
import type { OptimizerConfig, Policy, PolicyGradientObjective, TrainBatch, UpdateMetrics } from '../../main/policy/policy.ts';
import { readSafetensors, type Tensor } from '../../main/policy/safetensors.ts';
import { createTfjsPolicy, tfjsPolicyOf } from '../../main/policy/tfjs/policy.ts';
import { apart, FAMILIES, type Family, readParity, relativeError, TOLERANCE } from '../fixtures/parity.ts';

/** How far an ablated computation must be off at least for the comparison to count as sharp. */
const FAR = 1000 * TOLERANCE;

/** What is particular to an architecture. */
const OWN: Record<Family, { biases: boolean; headNorms: boolean; scaledRope: boolean; ownHead: boolean }> = {
  qwen2: { biases: true, headNorms: false, scaledRope: false, ownHead: false },
  qwen3: { biases: false, headNorms: true, scaledRope: false, ownHead: false },
  llama: { biases: false, headNorms: false, scaledRope: true, ownHead: true },
};

describe.each(Object.keys(FAMILIES) as Family[])('%s', async (family) => {
  const { folder: parityFolder, model: parityModel, recorded, sequences, wholeSequences, trainBatch } = await readParity(family);
  const { biases, headNorms, scaledRope, ownHead } = OWN[family];
  let checkpoint: Checkpoint;
  let policy: Policy;
  let scratch = '';
  beforeAll(async () => {
    checkpoint = await readCheckpoint(parityModel);
    policy = await createTfjsPolicy({ folder: parityModel });
    scratch = await mkdtemp(join(tmpdir(), 'parity-'));
  });
  afterAll(async () => {
    await policy.dispose();
    await rm(scratch, { recursive: true });
  });

  /** log π of tokens 1 … of every recorded sequence. */
  async function tokenLogprobs(of: Policy): Promise<Float32Array[]> {
    return (await of.logprobs({ sequences: wholeSequences, model: 'policy' })).map(({ logprobs }) => logprobs);
  }

  /** The recorded ones, of the whole model. */
  const wholeLogprobs = async (): Promise<number[][]> => {
    const { tensors } = await readSafetensors(join(parityFolder, 'logits.safetensors'));
    return wholeSequences.map(({ completion }, i) =>
      Array.from(completion, (id, t) => logSoftmax(tensors.get(`logits.${i}`) as Tensor, t)[id] as number),
    );
  };

  /** Row t of recorded logits [length, vocabulary] as log-probabilities, in double precision. */
  function logSoftmax({ shape, data }: Tensor, t: number): number[] {
    const width = shape[1] as number;
    const row = Array.from(data.subarray(t * width, (t + 1) * width));
    const most = Math.max(...row);
    const logSum = most + Math.log(row.reduce((sum, x) => sum + Math.exp(x - most), 0));
    return row.map((x) => x - logSum);
  }

  const furthest = (a: ArrayLike<number>[], b: ArrayLike<number>[]): number => Math.max(...a.map((row, i) => apart(row, b[i] ?? [])));

  describe('forward', () => {
    // Catches: any part of the decoder computed otherwise; the whole distribution, after 96, 13, 31 and 64 tokens.
    it('gives the distribution over the whole vocabulary', async () => {
      const { tensors } = await readSafetensors(join(parityFolder, 'logits.safetensors'));
      const vocabulary = checkpoint.config.vocab_size;
      for (const [i, { prompt, completion }] of wholeSequences.entries()) {
        const ids = [...prompt, ...completion];
        const t = [95, 12, 30, 63][i] as number;
        const prefix = Int32Array.from(ids.slice(0, t + 1));
        const each = Array.from({ length: vocabulary }, (_, id) => ({ prompt: prefix, completion: Int32Array.of(id) }));
        const scores = await policy.logprobs({ sequences: each, model: 'policy' });
        const ours = scores.map(({ logprobs }) => logprobs[0] as number);
        expect(apart(ours, logSoftmax(tensors.get(`logits.${i}`) as Tensor, t)), `sequence ${i}, position ${t}`).toBeLessThan(TOLERANCE);
      }
    });

    it.each([1, 0.7] as const)('gives log-probabilities and entropies at temperature %s', async (temperature) => {
      const key = temperature === 1 ? '1.0' : '0.7';
      const scores = await policy.logprobs({ sequences, model: 'policy', temperature });
      for (const [i, expected] of recorded.sequences.entries()) {
        expect(apart(scores[i]?.logprobs ?? [], expected.logprobs[key])).toBeLessThan(TOLERANCE);
        expect(apart(scores[i]?.entropy ?? [], expected.entropy[key])).toBeLessThan(TOLERANCE);
      }
    });

    // Catches: a cache, position or padding that goes wrong in decoding, alone or in a batch of prompts of different lengths.
    it.each([1, 3, 5])('continues greedily, token for token, in batches of %s', async (batch_size) => {
      const prompts = recorded.greedy.map(({ prompt }, i) => ({ key: `${i}`, ids: Int32Array.from(prompt) }));
      const sampling = { temperature: 0, top_p: 1, top_k: 0, seed: 1 };
      const completions: number[][] = [];
      for await (const event of policy.generate({ prompts, n: 1, sampling, max_completion_length: 40, stop: [], batch_size })) {
        if (event.type === 'completion') completions[event.prompt] = [...event.ids];
      }
      expect(completions).toEqual(recorded.greedy.map(({ completion }) => completion));
    });

    // Catches: a position that sees what comes after it.
    it('does not look ahead', async () => {
      const [first] = wholeSequences;
      const changed = Int32Array.from(first?.completion ?? []);
      changed[60] = ((changed[60] as number) + 1) % checkpoint.config.vocab_size;
      const [a, b] = await policy.logprobs({
        sequences: [{ prompt: first?.prompt ?? changed, completion: changed }, ...wholeSequences],
        model: 'policy',
      });
      expect(apart(a?.logprobs.slice(0, 60) ?? [], b?.logprobs.slice(0, 60) ?? [1])).toBe(0);
      expect(apart(a?.logprobs.slice(61) ?? [], b?.logprobs.slice(61) ?? [])).toBeGreaterThan(FAR);
    });
  });

  describe('forward with one part taken out', () => {
    /** Log-probabilities of an altered checkpoint. */
    async function altered(change: (tensors: Map<string, Tensor>, config: ModelConfig) => void): Promise<Float32Array[]> {
      const tensors = new Map([...checkpoint.tensors].map(([name, { shape, data }]) => [name, { shape, data: data.slice() }]));
      const config = { ...checkpoint.config };
      change(tensors, config);
      const other = await tfjsPolicyOf(config, tensors);
      try {
        return await tokenLogprobs(other);
      } finally {
        await other.dispose();
      }
    }
    const fill = (suffix: string, value: number) => (tensors: Map<string, Tensor>) => {
      for (const [name, { data }] of tensors) if (name.endsWith(suffix)) data.fill(value);
    };
    /** Query heads reordered, so that each meets the key head that it would meet if groups were dealt out in turn. */
    const regroup = (tensors: Map<string, Tensor>): void => {
      const order = [0, 2, 4, 1, 3, 5];
      const width = checkpoint.config.head_dim;
      for (const [name, tensor] of tensors) {
        const old = tensor.data.slice();
        const [rows, columns] = [tensor.shape[0] as number, tensor.shape[1] ?? 1];
        const source = (at: number): number => (order[Math.floor(at / width)] as number) * width + (at % width);
        if (name.includes('q_proj')) {
          for (let r = 0; r < rows; r++)
            for (let c = 0; c < columns; c++) tensor.data[r * columns + c] = old[source(r) * columns + c] as number;
        } else if (name.includes('o_proj')) {
          for (let r = 0; r < rows; r++)
            for (let c = 0; c < columns; c++) tensor.data[r * columns + c] = old[r * columns + source(c)] as number;
        }
      }
    };

    // Each is far from the whole model, so the comparison above would fail, and equal to PyTorch with the same part taken out.
    type Change = (tensors: Map<string, Tensor>, config: ModelConfig) => void;
    const unscaled: Change = (_, config) => {
      config.rope_scaling = null;
    };
    const tied: Change = (tensors, config) => {
      config.tie_word_embeddings = true;
      tensors.delete('lm_head.weight');
    };
    it.each<[string, Change]>([
      ...(biases ? ['q_proj.bias', 'k_proj.bias', 'v_proj.bias'] : []).map((part): [string, Change] => [part, fill(part, 0)]),
      ...(headNorms ? ['q_norm.weight', 'k_norm.weight'] : []).map((part): [string, Change] => [part, fill(part, 1)]),
      ...(scaledRope ? [['rope_scaling', unscaled] satisfies [string, Change]] : []),
      ...(ownHead ? [['lm_head', tied] satisfies [string, Change]] : []),
      ['input_layernorm.weight', fill('input_layernorm.weight', 1)],
      ['post_attention_layernorm.weight', fill('post_attention_layernorm.weight', 1)],
      ['model.norm.weight', fill('model.norm.weight', 1)],
      ['grouping', regroup],
    ])('%s', async (part, change) => {
      const ours = await altered(change);
      const theirs = recorded.ablations[part]?.logprobs ?? [];
      expect(furthest(ours, theirs)).toBeLessThan(TOLERANCE);
      expect(furthest(ours, await wholeLogprobs())).toBeGreaterThan(FAR);
    });

    // A decoder without rotation, without a mask or that attends to padding would give these recorded values: ours is far from them, in every sequence.
    it.each(['rope', 'causal_mask', 'padding_mask', ...(headNorms ? ['q_norm', 'k_norm'] : [])])('%s', async (part) => {
      const ours = await tokenLogprobs(policy);
      const without = recorded.ablations[part]?.logprobs ?? [];
      expect(furthest(ours, await wholeLogprobs())).toBeLessThan(TOLERANCE);
      // The longest sequence of a padded batch has no padding.
      for (const i of part === 'padding_mask' ? [1, 2, 3] : [0, 1, 2, 3]) {
        expect(apart(ours[i] ?? [], without[i] ?? []), `sequence ${i}`).toBeGreaterThan(FAR);
      }
    });

    // Catches: a rotary base that is not read from the config.
    it('rope_theta', async () => {
      const ours = await altered((_, config) => {
        config.rope_theta *= 2;
      });
      expect(furthest(ours, await wholeLogprobs())).toBeGreaterThan(FAR);
    });
  });

  /** Optimizer settings under which one step is −SCALE · gradient: an epsilon that drowns the second moment, no decay, no clipping. */
  const SCALE = 1000;
  const PLAIN: OptimizerConfig = {
    learning_rate: SCALE * 1e6,
    adam_beta1: 0.9,
    adam_beta2: 0.99,
    adam_epsilon: 1e6,
    weight_decay: 0,
    max_grad_norm: 0,
  };

  async function weightsOf(trained: Policy): Promise<Map<string, Tensor>> {
    const folder = await mkdtemp(join(scratch, 'weights-'));
    await trained.save(folder, 'weights');
    return (await readCheckpoint(folder)).tensors;
  }

  async function gradients(
    batch: TrainBatch,
    objective: PolicyGradientObjective,
    micro_batch_size?: number,
  ): Promise<[Map<string, Tensor>, UpdateMetrics]> {
    const trained = await createTfjsPolicy({ folder: parityModel });
    try {
      const metrics = await trained.update(batch, objective, { ...PLAIN, micro_batch_size });
      const found = new Map<string, Tensor>();
      for (const [name, { shape, data }] of await weightsOf(trained)) {
        const before = checkpoint.tensors.get(name)?.data ?? data;
        found.set(name, { shape, data: data.map((value, i) => ((before[i] as number) - value) / SCALE) });
      }
      return [found, metrics];
    } finally {
      await trained.dispose();
    }
  }

  function expectMetrics(ours: UpdateMetrics, theirs: Omit<UpdateMetrics, 'tokens'>): void {
    for (const [name, value] of Object.entries(theirs)) {
      expect(Math.abs((Reflect.get(ours, name) as number) - value), name).toBeLessThan(1e-3 * Math.max(0.1, Math.abs(value)));
    }
  }

  describe('gradient of the GRPO loss', () => {
    // Catches: a wrong or missing backward pass of any part, and micro-batches that do not add up to the batch.
    it.each([
      ['grpo', undefined],
      ['dr_grpo', undefined],
      ['dr_grpo', 4],
      ['grpo', 1],
    ] as const)('%s, micro-batches of %s', async (lossType, size) => {
      const { tensors } = await readSafetensors(join(parityFolder, `gradients-${lossType}.safetensors`));
      const [ours, metrics] = await gradients(trainBatch(lossType), recorded.objective, size);
      expect([...ours.keys()].sort()).toEqual([...tensors.keys()].sort());
      for (const [name, { data }] of tensors) {
        expect(relativeError(ours.get(name)?.data ?? [], data), name).toBeLessThan(1e-3);
      }
      expectMetrics(metrics, recorded.training[lossType].metrics);
    });

    // Catches: a fixture that would let a missing piece of the objective through.
    it.each<[string, Partial<PolicyGradientObjective>, (batch: TrainBatch) => void]>([
      ['clipping', { epsilon: 1e9, epsilon_high: 1e9 }, () => {}],
      ['the upper bound', { delta: null }, () => {}],
      ['the KL term', { beta: 0 }, () => {}],
      ['the temperature', { temperature: 1 }, () => {}],
      [
        'the mask',
        {},
        (batch) => {
          for (const { mask, weights } of batch.sequences) {
            mask.fill(1);
            weights.fill(weights[0] || 1e-2);
          }
        },
      ],
      [
        'the old log-probabilities',
        {},
        (batch) => {
          for (const sequence of batch.sequences) sequence.oldLogprobs = undefined;
        },
      ],
    ])('is another without %s', async (_, objective, change) => {
      const { tensors } = await readSafetensors(join(parityFolder, 'gradients-dr_grpo.safetensors'));
      const batch = trainBatch('dr_grpo');
      change(batch);
      const [ours] = await gradients(batch, { ...recorded.objective, ...objective });
      const errors = [...tensors].map(([name, { data }]) => relativeError(ours.get(name)?.data ?? [], data));
      expect(Math.min(...errors)).toBeGreaterThan(10 * 1e-3);
    });
  });

  describe('three AdamW steps', () => {
    /** Largest difference to the recorded weights after three steps, and what each step reported. */
    async function train(change: Partial<OptimizerConfig>): Promise<[number, UpdateMetrics[]]> {
      const { tensors } = await readSafetensors(join(parityFolder, 'weights-after-3-steps.safetensors'));
      const trained = await createTfjsPolicy({ folder: parityModel });
      try {
        const reports: UpdateMetrics[] = [];
        for (let step = 0; step < 3; step++) {
          reports.push(
            await trained.update(trainBatch(recorded.steps.loss_type), recorded.objective, { ...recorded.optimizer, ...change }),
          );
        }
        const ours = await weightsOf(trained);
        return [Math.max(...[...tensors].map(([name, { data }]) => apart(ours.get(name)?.data ?? [], data))), reports];
      } finally {
        await trained.dispose();
      }
    }

    // Catches: bias correction, decay, epsilon or clipping done otherwise than torch.optim.AdamW and clip_grad_norm_ do them.
    it('end at the same weights', async () => {
      const [difference, reports] = await train({});
      expect(difference).toBeLessThan(TOLERANCE);
      for (const [step, report] of reports.entries()) expectMetrics(report, recorded.steps.reports[step] as UpdateMetrics);
    });

    it.each<[string, Partial<OptimizerConfig>]>([
      ['weight decay', { weight_decay: 0 }],
      ['gradient clipping', { max_grad_norm: 0 }],
      ['epsilon', { adam_epsilon: 1e-8 }],
      ['momentum', { adam_beta1: 0 }],
    ])('end elsewhere without %s', async (_, change) => {
      const [difference] = await train(change);
      expect(difference).toBeGreaterThan(10 * TOLERANCE);
    });
  });
});
