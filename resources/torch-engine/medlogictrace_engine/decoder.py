"""The model token by token: the weights laid out for decoding, a key-value cache in slots, prompts and single steps.

Written out instead of calling Transformers' modules, since a decode step of a small model is mostly the overhead of its many small
operations: projections are fused, nothing is masked that need not be, query heads that share a key head are one product.
The same arithmetic as Transformers' Qwen2, Qwen3 and Llama; the conformance tests hold the two against each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import linear, scaled_dot_product_attention, silu

from .model import Model, adapter_delta, whole
from .packing import Ids

SMALL = 50_000_000
"""Weights up to which a fused copy is made although the parameters could be used as they are."""


@dataclass(frozen=True)
class Projection:
    """One product with several outputs: `weights` [out, in] of each, or one of all."""

    weights: list[Tensor]
    biases: list[Tensor | None]
    widths: list[int]

    def __call__(self, x: Tensor) -> tuple[Tensor, ...]:
        if len(self.weights) == 1 and len(self.widths) > 1:
            parts: tuple[Tensor, ...] = linear(x, self.weights[0], self.biases[0]).split(self.widths, -1)
            return parts
        return tuple(linear(x, w, b) for w, b in zip(self.weights, self.biases, strict=True))


@dataclass(frozen=True)
class Layer:
    first_norm: Tensor
    qkv: Projection
    query_norm: Tensor | None
    key_norm: Tensor | None
    out: Projection
    second_norm: Tensor
    gate_up: Projection
    down: Projection


class Weights:
    """What decoding computes with: the parameters themselves where they are as needed, else copies (merged, cast, gathered)."""

    def __init__(self, model: Model) -> None:
        config = model.config
        self.compute = model.compute
        self.device = model.team.device
        self.heads: int = config.num_attention_heads
        self.key_heads: int = config.num_key_value_heads
        self.width: int = getattr(config, "head_dim", None) or config.hidden_size // self.heads
        self.epsilon: float = config.rms_norm_eps
        self.vocabulary: int = config.vocab_size
        decoder = model.base.model
        self.frequencies: Tensor = decoder.rotary_emb.inv_freq.to(self.device).float()
        self.rotary_scale = float(decoder.rotary_emb.attention_scaling)
        copied = model.sharded or model.peft is not None or self.compute != torch.float32
        self.fuse = copied or model.parameters <= SMALL
        with torch.no_grad():
            self.embedding = whole(decoder.embed_tokens.weight)
            self.layers = [self.layer(layer) for layer in decoder.layers]
            self.final_norm = whole(decoder.norm.weight)
            tied = bool(config.tie_word_embeddings)
            self.head = (self.embedding if tied else whole(model.base.lm_head.weight)).to(self.compute)

    def layer(self, layer: Any) -> Layer:
        attention, mlp = layer.self_attn, layer.mlp
        return Layer(
            first_norm=whole(layer.input_layernorm.weight),
            qkv=self.projection(attention.q_proj, attention.k_proj, attention.v_proj),
            query_norm=whole(attention.q_norm.weight) if hasattr(attention, "q_norm") else None,
            key_norm=whole(attention.k_norm.weight) if hasattr(attention, "k_norm") else None,
            out=self.projection(attention.o_proj),
            second_norm=whole(layer.post_attention_layernorm.weight),
            gate_up=self.projection(mlp.gate_proj, mlp.up_proj),
            down=self.projection(mlp.down_proj),
        )

    def projection(self, *modules: Any) -> Projection:
        weights, biases = [], []
        for module in modules:
            base = getattr(module, "base_layer", module)
            weight = whole(base.weight)
            if base is not module:
                weight = weight.float() + adapter_delta(module)
            weights.append(weight.to(self.compute))
            biases.append(None if base.bias is None else whole(base.bias).to(self.compute))
        widths = [w.shape[0] for w in weights]
        if self.fuse and len(weights) > 1:
            given = [b for b in biases if b is not None]
            return Projection([torch.cat(weights)], [torch.cat(given) if len(given) == len(biases) else None], widths)
        return Projection(weights, biases, widths)

    def norm(self, x: Tensor, gain: Tensor) -> Tensor:
        """RMSNorm in float32; the result is what products are computed in."""
        x = x.float()
        return (gain.float() * (x * torch.rsqrt(x.square().mean(-1, keepdim=True) + self.epsilon))).to(self.compute)

    def rotation(self, positions: Tensor) -> tuple[Tensor, Tensor]:
        """Cosine and sine for positions [...], each [..., 1, width] float32."""
        angles = positions[..., None].float() * self.frequencies
        angles = torch.cat([angles, angles], -1)[..., None, :]
        return angles.cos() * self.rotary_scale, angles.sin() * self.rotary_scale

    def rotate(self, x: Tensor, rotation: tuple[Tensor, Tensor]) -> Tensor:
        """Heads [..., heads, width] turned to their positions."""
        cosine, sine = rotation
        a, b = x.chunk(2, -1)
        return (x * cosine + torch.cat([-b, a], -1) * sine).to(self.compute)

    def heads_of(self, x: Tensor, layer: Layer, rotation: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys and values of the normed input [..., H]: [..., heads, width]."""
        q, k, v = layer.qkv(self.norm(x, layer.first_norm))
        q = q.unflatten(-1, (self.heads, self.width))
        k = k.unflatten(-1, (self.key_heads, self.width))
        # Qwen3 norms each head of queries and keys.
        q = q if layer.query_norm is None else self.norm(q, layer.query_norm)
        k = k if layer.key_norm is None else self.norm(k, layer.key_norm)
        return self.rotate(q, rotation), self.rotate(k, rotation), v.unflatten(-1, (self.key_heads, self.width))

    def rest(self, x: Tensor, attended: Tensor, layer: Layer) -> Tensor:
        """The residual stream x behind attention and feed-forward."""
        x = x + layer.out(attended)[0]
        gate, up = layer.gate_up(self.norm(x, layer.second_norm))
        return x + layer.down(silu(gate) * up)[0]

    def logits(self, x: Tensor) -> Tensor:
        """float32 logits [n, V] of the residual stream [n, H]."""
        from .head import logits_of

        return logits_of(self.norm(x, self.final_norm), self.head)


class SlotCache:
    """Keys and values of rows that are being written, each row in a slot; the slots in use are always the first ones."""

    def __init__(self, weights: Weights, slots: int, capacity: int) -> None:
        shape = (slots, weights.key_heads, capacity, weights.width)
        new = {"dtype": weights.compute, "device": weights.device}
        self.keys = [torch.zeros(shape, **new) for _ in weights.layers]  # type: ignore[call-overload]
        self.values = [torch.zeros(shape, **new) for _ in weights.layers]  # type: ignore[call-overload]

    def move(self, source: int, target: int, length: int) -> None:
        """Row `source` takes the slot of one that has ended."""
        for cache in (*self.keys, *self.values):
            cache[target, :, :length] = cache[source, :, :length]


def prompt_logits(weights: Weights, cache: SlotCache, ids: Tensor, lengths: list[int], slots: list[list[int]]) -> Tensor:
    """
    Reads prompts ids [B, L], padded on the right, puts keys and values of prompt b into each of `slots[b]` and gives the logits [B, V]
    behind each prompt's last token.
    """
    longest = ids.shape[1]
    rotation = weights.rotation(torch.arange(longest, device=ids.device))
    group = weights.heads // weights.key_heads
    x = weights.embedding[ids]
    targets = torch.tensor([slot for each in slots for slot in each], device=ids.device)
    sources = torch.tensor([b for b, each in enumerate(slots) for _ in each], device=ids.device)
    for i, layer in enumerate(weights.layers):
        q, k, v = (heads.transpose(1, 2) for heads in weights.heads_of(x, layer, rotation))
        cache.keys[i][targets, :, :longest] = k[sources]
        cache.values[i][targets, :, :longest] = v[sources]
        k, v = (t if group == 1 else t.repeat_interleave(group, 1) for t in (k, v))
        attended = scaled_dot_product_attention(q, k, v, is_causal=True)
        x = weights.rest(x, attended.transpose(1, 2).flatten(2), layer)
    last = torch.tensor(lengths, device=ids.device) - 1
    return weights.logits(x[torch.arange(len(lengths), device=ids.device), last])


def step_logits(weights: Weights, cache: SlotCache, ids: Tensor, positions: Tensor, span: int) -> Tensor:
    """Logits [n, V] behind ids [n] at `positions` [n] of slots 0 … n − 1. `span`, above the greatest position: how far attention looks."""
    n = ids.shape[0]
    rotation = weights.rotation(positions)
    rows = torch.arange(n, device=ids.device)
    hidden = torch.arange(span, device=ids.device) > positions[:, None]
    mask = torch.zeros(n, 1, 1, span, dtype=weights.compute, device=ids.device).masked_fill_(hidden[:, None, None], float("-inf"))
    x = weights.embedding[ids]
    for i, layer in enumerate(weights.layers):
        q, k, v = weights.heads_of(x, layer, rotation)
        cache.keys[i][rows, :, positions] = k
        cache.values[i][rows, :, positions] = v
        # The query heads of one key head stand where query positions would: one product for all of them, no copies of the keys.
        grouped = q.unflatten(1, (weights.key_heads, -1))
        attended = scaled_dot_product_attention(grouped, cache.keys[i][:n, :, :span], cache.values[i][:n, :, :span], attn_mask=mask)
        x = weights.rest(x, attended.flatten(1), layer)
    return weights.logits(x)


def padded(rows: list[Ids], device: torch.device) -> Tensor:
    """Token ids of unequal length as [B, longest], padded on the right with id 0."""
    ids = np.zeros((len(rows), max(map(len, rows))), dtype=np.int64)
    for i, row in enumerate(rows):
        ids[i, : len(row)] = row
    return torch.from_numpy(ids).to(device)
