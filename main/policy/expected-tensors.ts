/** Which tensors a config calls for. */
import type { ModelConfig } from './model-config.ts';

/** Name and shape of every tensor of a checkpoint, in forward order. A tied output layer has none of its own. */
export function expectedTensors(config: ModelConfig): Map<string, number[]> {
  const { hidden_size: hidden, intermediate_size: inner, head_dim } = config;
  const queries = config.num_attention_heads * head_dim;
  const keys = config.num_key_value_heads * head_dim;
  const shapes = new Map<string, number[]>([['model.embed_tokens.weight', [config.vocab_size, hidden]]]);
  for (let i = 0; i < config.num_hidden_layers; i++) {
    const layer = `model.layers.${i}`;
    shapes.set(`${layer}.input_layernorm.weight`, [hidden]);
    for (const [name, width] of [
      ['q', queries],
      ['k', keys],
      ['v', keys],
    ] as const) {
      shapes.set(`${layer}.self_attn.${name}_proj.weight`, [width, hidden]);
      if (config.qkv_bias) shapes.set(`${layer}.self_attn.${name}_proj.bias`, [width]);
    }
    if (config.query_key_norm) {
      for (const name of ['q', 'k']) shapes.set(`${layer}.self_attn.${name}_norm.weight`, [head_dim]);
    }
    shapes.set(`${layer}.self_attn.o_proj.weight`, [hidden, queries]);
    shapes.set(`${layer}.post_attention_layernorm.weight`, [hidden]);
    shapes.set(`${layer}.mlp.gate_proj.weight`, [inner, hidden]);
    shapes.set(`${layer}.mlp.up_proj.weight`, [inner, hidden]);
    shapes.set(`${layer}.mlp.down_proj.weight`, [hidden, inner]);
  }
  shapes.set('model.norm.weight', [hidden]);
  if (!config.tie_word_embeddings) shapes.set('lm_head.weight', [config.vocab_size, hidden]);
  return shapes;
}

/** Numbers in tensors of these shapes. */
export const numbersIn = (shapes: ReadonlyMap<string, readonly number[]>): number =>
  [...shapes.values()].reduce((sum, shape) => sum + shape.reduce((a, b) => a * b, 1), 0);

/** Weights of a model. */
export const parametersOf = (config: ModelConfig): number => numbersIn(expectedTensors(config));
