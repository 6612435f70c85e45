"""Sequences as the model reads them: who computes which, in what micro-batches, and where completions are predicted.

Rows of a micro-batch are padded on the right. Attention is causal, so no real position ever sees padding and no mask is needed;
rows of like length go together, so there is little of it.
"""

from __future__ import annotations

from collections.abc import Sequence as Items
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .protocol import Array, Frame

Ids = NDArray[np.int32]


@dataclass(frozen=True)
class Sequence:
    """A prompt and its continuation, without padding; `number` is its place in the request."""

    number: int
    prompt: Ids
    completion: Ids

    @property
    def length(self) -> int:
        return len(self.prompt) + len(self.completion)

    def read(self) -> Ids:
        """What the model reads to predict the completion: its last token is only a target."""
        return np.concatenate([self.prompt, self.completion[:-1]])


def split(values: Array, lengths: Array) -> list[Array]:
    """A concatenation cut back into its parts."""
    ends = np.cumsum(lengths)
    if (int(ends[-1]) if len(ends) else 0) != len(values):
        raise ValueError(f"the lengths say {int(ends[-1]) if len(ends) else 0} values, but there are {len(values)}")
    return np.split(values, ends[:-1])


def sequences_of(frame: Frame) -> list[Sequence]:
    t = frame.tensors
    if len(t["prompt_lengths"]) == 0:
        return []
    prompts = split(t["prompt_ids"], t["prompt_lengths"])
    completions = split(t["completion_ids"], t["completion_lengths"])
    return [Sequence(i, prompt, completion) for i, (prompt, completion) in enumerate(zip(prompts, completions, strict=True))]


@dataclass(frozen=True)
class Input:
    """One row that the model reads, and the sequences whose completions it predicts."""

    ids: Ids
    members: list[Sequence]


def own_inputs(sequences: Items[Sequence]) -> list[Input]:
    """Each sequence by itself; those without a completion take no room."""
    return [Input(sequence.read(), [sequence]) for sequence in sequences if len(sequence.completion) > 0]


def shared_inputs(sequences: Items[Sequence]) -> list[Input]:
    """Neighbours of which one reads what the other starts with share a row: the options of one question are computed once."""
    groups: list[Input] = []
    for item in own_inputs(sequences):
        last = groups[-1] if groups else None
        short = min(len(last.ids), len(item.ids)) if last else 0
        if last is not None and np.array_equal(last.ids[:short], item.ids[:short]):
            longer = item.ids if len(item.ids) > len(last.ids) else last.ids
            groups[-1] = Input(longer, [*last.members, *item.members])
        else:
            groups.append(item)
    return groups


def shard(lengths: Items[int], ranks: int) -> list[list[int]]:
    """Indices for each rank, about equally many *tokens* each: the longest first, each to whoever has least. Same on every rank."""
    shares: list[list[int]] = [[] for _ in range(ranks)]
    loads = [0] * ranks
    for i in sorted(range(len(lengths)), key=lambda i: (-lengths[i], i)):
        rank = min(range(ranks), key=lambda r: (loads[r], r))
        shares[rank].append(i)
        loads[rank] += lengths[i]
    return shares


def micro_batches(indices: Items[int], lengths: Items[int], tokens: int, rows: int | None = None, enough: int = 512) -> list[list[int]]:
    """
    The indices by falling length, cut so that rows × longest stays within `tokens` (or is one row) and rows within `rows`. A batch of
    `enough` tokens, which keeps the device busy, takes no row that would be padded by more than a quarter.
    """
    batches: list[list[int]] = []
    for i in sorted(indices, key=lambda i: (-lengths[i], i)):
        last = batches[-1] if batches else None
        longest = lengths[last[0]] if last else 0
        full = last is None or (len(last) + 1) * longest > tokens or (rows is not None and len(last) >= rows)
        if last is None or full or (len(last) * longest >= enough and 4 * lengths[i] < 3 * longest):
            batches.append([i])
        else:
            last.append(i)
    return batches


@dataclass(frozen=True)
class Batch:
    """Shapes: B rows, L the longest, T completion tokens in the order of the rows' members."""

    ids: Tensor
    """[B, L]"""
    rows: Tensor
    """[T] places in B·L whose output predicts a completion token"""
    targets: Tensor
    """[T] the token that each should predict"""
    members: list[Sequence]


def collate(inputs: Items[Input], device: torch.device) -> Batch:
    """No inputs give one row of one token that predicts nothing: work for a rank that must take part in a collective step."""
    longest = max((len(item.ids) for item in inputs), default=1)
    ids = np.zeros((max(1, len(inputs)), longest), dtype=np.int64)
    rows: list[Array] = []
    targets: list[Array] = []
    members: list[Sequence] = []
    for b, item in enumerate(inputs):
        ids[b, : len(item.ids)] = item.ids
        for member in item.members:
            first = b * longest + len(member.prompt) - 1
            rows.append(np.arange(first, first + len(member.completion)))
            targets.append(member.completion)
            members.append(member)
    flat = np.concatenate(rows) if rows else np.zeros(0, dtype=np.int64)
    wanted = np.concatenate(targets).astype(np.int64) if targets else np.zeros(0, dtype=np.int64)
    on_device = [torch.from_numpy(each).to(device) for each in (ids, flat, wanted)]
    return Batch(on_device[0], on_device[1], on_device[2], members)


def check_sequences(sequences: Items[Sequence], context: int, vocabulary: int) -> None:
    """Errors: ValueError naming the sequence, what it has and the limit."""
    for i, sequence in enumerate(sequences):
        if len(sequence.prompt) == 0:
            raise ValueError(f"sequence {i} has an empty prompt; at least one token must precede a completion")
        if sequence.length > context:
            raise ValueError(f"sequence {i} has {sequence.length} tokens (prompt {len(sequence.prompt)}); the context holds {context}")
        for ids in (sequence.prompt, sequence.completion):
            wrong = ids[(ids < 0) | (ids >= vocabulary)]
            if len(wrong) > 0:
                raise ValueError(f"sequence {i} has token id {int(wrong[0])}; the vocabulary ends at {vocabulary - 1}")
