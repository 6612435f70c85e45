"""Sequences as the model reads them: who computes which, in what micro-batches, and where completions are predicted.

Rows of a micro-batch are padded on the right. Attention is causal, so no real position ever sees padding and no mask is needed, but where
sequences in one row share a beginning; rows of like length go together, so there is little of it.
"""

from __future__ import annotations

from collections.abc import Callable
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
    """
    One row that the model reads, and the sequences whose completions it predicts. A token at position p of its own sequence goes on behind
    the tokens that stand last before it at positions 0 … p − 1: it sees those and itself.
    """

    ids: Ids
    positions: Ids
    members: list[Sequence]
    places: list[Array]
    """Of each member: where in the row its completion is predicted."""

    @property
    def branches(self) -> bool:
        """Whether several sequences go on behind a beginning that they share."""
        return len(self.ids) > 0 and int(self.positions[-1]) != len(self.ids) - 1


def own_inputs(sequences: Items[Sequence]) -> list[Input]:
    """Each sequence by itself; those without a completion take no room."""
    found = []
    for sequence in sequences:
        if len(sequence.completion) > 0:
            ids = sequence.read()
            every = np.arange(len(ids), dtype=np.int32)
            found.append(Input(ids, every, [sequence], [every[len(sequence.prompt) - 1 :]]))
    return found


Joins = Callable[[int, int, int], bool]
"""(tokens of a row, tokens of a sequence that shares a beginning with its last, those that it would add) to whether it goes on there."""


def shared_inputs(sequences: Items[Sequence], joins: Joins) -> list[Input]:
    """A beginning that sequences have in common (a question's prompt, that of a group) is in one row, and once, where `joins` says so."""
    rows: list[Input] = []
    last: Ids = np.zeros(0, dtype=np.int32)
    places: Array = np.zeros(0, dtype=np.int32)  # Where each token of the last sequence stands in the row.
    for item in sorted(own_inputs(sequences), key=lambda item: (tuple(item.ids.tolist()), item.members[0].number)):
        row = rows[-1] if rows else None
        shared = common_length(last, item.ids)
        added = len(item.ids) - shared
        last = item.ids
        if row is None or shared == 0 or (added > 0 and not joins(len(row.ids), len(item.ids), added)):
            rows.append(item)
            places = item.positions
            continue
        places = np.concatenate([places[:shared], np.arange(len(row.ids), len(row.ids) + added, dtype=np.int32)])
        (member,) = item.members
        rows[-1] = Input(
            np.concatenate([row.ids, item.ids[shared:]]),
            np.concatenate([row.positions, item.positions[shared:]]),
            [*row.members, member],
            [*row.places, places[len(member.prompt) - 1 :]],
        )
    return rows


def common_length(a: Ids, b: Ids) -> int:
    """Leading ids that both have."""
    short = min(len(a), len(b))
    differs = np.flatnonzero(a[:short] != b[:short])
    return int(differs[0]) if len(differs) else short


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
    positions: Tensor | None
    """[B, L] position of each token within its sequence; None where every row is one sequence"""
    mask: Tensor | None
    """[B, 1, L, L] whether a token sees another; None where every row is one sequence"""


def collate(inputs: Items[Input], device: torch.device) -> Batch:
    """No inputs give one row of one token that predicts nothing: work for a rank that must take part in a collective step."""
    longest = max((len(item.ids) for item in inputs), default=1)
    ids = np.zeros((max(1, len(inputs)), longest), dtype=np.int64)
    rows: list[Array] = []
    targets: list[Array] = []
    members: list[Sequence] = []
    for b, item in enumerate(inputs):
        ids[b, : len(item.ids)] = item.ids
        for member, places in zip(item.members, item.places, strict=True):
            rows.append(b * longest + places.astype(np.int64))
            targets.append(member.completion)
            members.append(member)
    flat = np.concatenate(rows) if rows else np.zeros(0, dtype=np.int64)
    wanted = np.concatenate(targets).astype(np.int64) if targets else np.zeros(0, dtype=np.int64)
    on_device = [torch.from_numpy(each).to(device) for each in (ids, flat, wanted)]
    positions, mask = branches(inputs, longest, device) if any(item.branches for item in inputs) else (None, None)
    return Batch(on_device[0], on_device[1], on_device[2], members, positions, mask)


def branches(inputs: Items[Input], longest: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Positions [B, L] and mask [B, 1, L, L] of rows in which sequences share a beginning."""
    positions = np.zeros((len(inputs), longest), dtype=np.int64)
    # What fills a row up sees itself: a token that sees nothing would become NaN.
    mask = np.broadcast_to(np.eye(longest, dtype=np.bool_), (len(inputs), longest, longest)).copy()
    for b, item in enumerate(inputs):
        positions[b, : len(item.ids)] = item.positions
        path = np.zeros(longest, dtype=np.int64)
        for i, position in enumerate(item.positions):
            path[position] = i
            mask[b, i, path[: position + 1]] = True
    return torch.from_numpy(positions).to(device), torch.from_numpy(mask[:, None]).to(device)


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
