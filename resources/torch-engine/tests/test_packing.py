"""Sequences that share a beginning in one row: what is read once, and what each token sees."""

from __future__ import annotations

import numpy as np
import torch

from medlogictrace_engine.packing import Sequence, collate, shared_inputs

PROMPT = [5, 9, 2, 40, 7]
OPTIONS = [(PROMPT, [3, 4, 9]), (PROMPT, [1]), (PROMPT, [3, 4, 8, 6]), (PROMPT, []), ([5, 9, 1], [3, 3]), ([5, 9, 1, 3], [6]), ([8], [1])]


def sequences() -> list[Sequence]:
    return [Sequence(i, np.array(prompt, np.int32), np.array(completion, np.int32)) for i, (prompt, completion) in enumerate(OPTIONS)]


def test_each_token_sees_its_own_sequence_and_no_other() -> None:
    rows = shared_inputs(sequences(), lambda *_: True)
    assert [len(row.ids) for row in rows] == [10, 1]
    batch = collate(rows, torch.device("cpu"))
    assert batch.positions is not None and batch.mask is not None
    longest = batch.ids.shape[1]
    at = 0
    for member in batch.members:
        for i, target in enumerate(member.completion):
            assert batch.targets[at] == target
            row, place = divmod(int(batch.rows[at]), longest)
            at += 1
            seen = batch.mask[row, 0, place].nonzero().flatten()
            assert batch.ids[row, seen].tolist() == [*member.prompt, *member.completion[:i]]
            assert batch.positions[row, seen].tolist() == list(range(len(seen)))
    assert at == len(batch.rows)
    assert sorted(member.number for member in batch.members) == [0, 1, 2, 4, 5, 6]


def test_rows_of_one_sequence_need_no_mask() -> None:
    rows = shared_inputs(sequences(), lambda *_: False)
    assert [len(row.ids) for row in rows] == [4, 5, 7, 8, 1]
    batch = collate(rows, torch.device("cpu"))
    assert batch.positions is None and batch.mask is None
    assert collate([], torch.device("cpu")).ids.shape == (1, 1)
