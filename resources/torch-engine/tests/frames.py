"""Requests as the runner sends them, and what make_parity.py recorded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file

from medlogictrace_engine.engine import Engine
from medlogictrace_engine.protocol import Array, Frame, decode, encode
from medlogictrace_engine.rollout import Step
from medlogictrace_engine.settings import settings_of
from medlogictrace_engine.team import Team

FIXTURES = Path(__file__).parents[3] / "test" / "fixtures"
PARITY = FIXTURES / "parity"
RECORDED: dict[str, Any] = json.loads((PARITY / "parity.json").read_text())
TOLERANCE = 1e-4
ALONE = Team(0, 1, torch.device("cpu"), None)


def engine(model: Path | str = PARITY / "model", team: Team = ALONE, **changes: Any) -> Engine:
    return Engine(settings_of(open_header(model) | changes), team)


def open_header(model: Path | str) -> dict[str, Any]:
    return {
        "model": str(model),
        "dtype": "float32",
        "seed": 1,
        "threads": 1,
        "gradient_checkpointing": False,
        "sharding": "auto",
        "lora": None,
        "max_batch_tokens": 256,
    }


def through_wire(header: dict[str, Any], tensors: dict[str, Array]) -> Frame:
    """A frame as the other end of a socket gets it."""
    raw = encode(header, tensors)
    length = int.from_bytes(raw[4:8], "little")
    return decode(raw[16 : 16 + length], raw[16 + length :])


def id_tensors(prompts: list[list[int]], completions: list[list[int]]) -> dict[str, Array]:
    def joined(rows: list[list[int]]) -> Array:
        return np.array([i for row in rows for i in row], dtype="<i4")

    def lengths(rows: list[list[int]]) -> Array:
        return np.array([len(row) for row in rows], dtype="<i4")

    return {
        "prompt_ids": joined(prompts),
        "prompt_lengths": lengths(prompts),
        "completion_ids": joined(completions),
        "completion_lengths": lengths(completions),
    }


def logprob_frame(rows: list[dict[str, Any]], temperature: float = 1.0, model: str = "policy") -> Frame:
    header = {"verb": "logprobs", "id": 1, "model": model, "temperature": temperature}
    return through_wire(header, id_tensors([r["prompt"] for r in rows], [r["completion"] for r in rows]))


def update_frame(loss_type: str, batch: list[dict[str, Any]] | None = None, **changes: Any) -> Frame:
    """The recorded training batch with one reduction's weights; `changes` of objective, optimizer or micro_batch_size."""
    rows = RECORDED["batch"] if batch is None else batch
    weights = RECORDED["training"][loss_type]["weights"] if batch is None else [r["weights"] for r in rows]

    def column(values: list[list[float]]) -> Array:
        return np.array([v for row in values for v in row], dtype="<f4")

    ones = np.ones(len(rows), dtype="u1")
    tensors = id_tensors([r["prompt"] for r in rows], [r["completion"] for r in rows]) | {
        "mask": column([r["mask"] for r in rows]),
        "weights": column(weights),
        "advantages": column([r["advantages"] for r in rows]),
        "old": column([r["oldLogprobs"] for r in rows]),
        "reference": column([r["referenceLogprobs"] for r in rows]),
        "has_old": ones,
        "has_reference": ones,
    }
    header = {
        "verb": "update",
        "id": 1,
        "objective": RECORDED["objective"],
        "optimizer": RECORDED["optimizer"],
        "micro_batch_size": None,
    }
    return through_wire(header | changes, tensors)


def generate_frame(prompts: list[list[int]], **changes: Any) -> Frame:
    header = {
        "verb": "generate",
        "id": 1,
        "keys": [f"p{i}" for i in range(len(prompts))],
        "n": 1,
        "first_sample": 0,
        "sampling": {"temperature": 0, "top_p": 1, "top_k": 0, "seed": 1},
        "max_completion_length": 40,
        "stop": [],
        "batch_size": None,
    }
    return through_wire(header | changes, id_tensors(prompts, [[] for _ in prompts]))


def generated(of: Engine, frame: Frame) -> dict[tuple[int, int], list[tuple[int, float, int]]]:
    """(id, logprob, finish) of each token by (prompt, sample), in the order of position."""
    rows: dict[tuple[int, int], list[tuple[int, float, int]]] = {}

    def take(step: Step) -> None:
        for p, s, position, i, logprob, finish in zip(
            step.prompt, step.sample, step.position, step.id, step.logprob, step.finish, strict=True
        ):
            row = rows.setdefault((p, s), [])
            assert position == len(row), "tokens of a row must come in order"
            row.append((i, logprob, finish))

    of.generate(frame, take, lambda: None)
    return rows


def weights_of(of: Engine) -> dict[str, torch.Tensor]:
    return {name: t.clone() for name, t in of.model.weights()}


def recorded_tensors(name: str) -> dict[str, torch.Tensor]:
    return load_file(PARITY / name)


def furthest(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> float:
    assert a.keys() == b.keys()
    return max(float((a[name].double() - b[name].double()).abs().max()) for name in a)
