"""Requests of the runner, made in this process: for gpu_check and benchmarks, which have no runner."""

from __future__ import annotations

from typing import Any

import numpy as np

from .protocol import Array, Frame
from .settings import Settings

Pair = tuple[list[int], list[int]]
"""Prompt and completion."""


def settings(model: str, **changes: Any) -> Settings:
    given: dict[str, Any] = {
        "dtype": "float32",
        "seed": 1,
        "threads": 1,
        "gradient_checkpointing": False,
        "sharding": "none",
        "lora": None,
        "max_batch_tokens": None,
    }
    return Settings(model=model, **(given | changes))


def id_tensors(pairs: list[Pair]) -> dict[str, Array]:
    columns = {}
    for name, rows in (("prompt", [p for p, _ in pairs]), ("completion", [c for _, c in pairs])):
        columns[f"{name}_ids"] = np.array([i for row in rows for i in row], dtype="<i4")
        columns[f"{name}_lengths"] = np.array([len(row) for row in rows], dtype="<i4")
    return columns


def score(pairs: list[Pair], temperature: float = 1.0, model: str = "policy") -> Frame:
    return Frame({"verb": "logprobs", "id": 1, "model": model, "temperature": temperature}, id_tensors(pairs))


def update(pairs: list[Pair], advantages: list[float], learning_rate: float = 1e-6, micro_batch_size: int | None = None) -> Frame:
    """An on-policy step of the loss `dapo` without a KL term."""
    lengths = [len(completion) for _, completion in pairs]
    tokens = sum(lengths)
    none = np.zeros(len(pairs), dtype="u1")
    zeros = np.zeros(tokens, dtype="<f4")
    tensors = id_tensors(pairs) | {
        "mask": np.ones(tokens, dtype="<f4"),
        "weights": np.full(tokens, 1 / tokens, dtype="<f4"),
        "advantages": np.repeat(np.array(advantages, dtype="<f4"), lengths),
        "old": zeros,
        "reference": zeros,
        "has_old": none,
        "has_reference": none,
    }
    adam = {"adam_beta1": 0.9, "adam_beta2": 0.999, "adam_epsilon": 1e-8, "weight_decay": 0.0, "max_grad_norm": 1.0}
    header = {
        "verb": "update",
        "id": 1,
        "objective": {"kind": "policy_gradient", "temperature": 1.0, "epsilon": 0.2, "epsilon_high": 0.2, "delta": None, "beta": 0.0},
        "optimizer": adam | {"learning_rate": learning_rate},
        "micro_batch_size": micro_batch_size,
    }
    return Frame(header, tensors)


def generate(prompts: list[list[int]], n: int, longest: int, temperature: float = 1.0, **changes: Any) -> Frame:
    header = {
        "verb": "generate",
        "id": 1,
        "keys": [f"p{i}" for i in range(len(prompts))],
        "n": n,
        "first_sample": 0,
        "sampling": {"temperature": temperature, "top_p": 1.0, "top_k": 0, "seed": 1},
        "max_completion_length": longest,
        "stop": [],
        "batch_size": None,
    }
    return Frame(header | changes, id_tensors([(prompt, []) for prompt in prompts]))
