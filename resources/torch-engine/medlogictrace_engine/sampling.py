"""One token for each row of logits, drawn as shared/random.ts and main/policy/tfjs/sampling.ts draw it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

CHUNK = 512
"""Ids whose probabilities are summed before one chunk is gone through id by id: a whole cumulative sum would cost more than the model."""


@dataclass(frozen=True)
class Sampling:
    temperature: float
    top_p: float
    top_k: int
    seed: int


def check_sampling(sampling: Sampling) -> None:
    """Errors: ValueError naming the setting."""
    if not 0 <= sampling.temperature < float("inf"):
        raise ValueError(f"temperature is {sampling.temperature}; it must be 0 (greedy) or more")
    if not 0 < sampling.top_p <= 1:
        raise ValueError(f"top_p is {sampling.top_p}; it must be above 0 and at most 1")
    if sampling.top_k < 0:
        raise ValueError(f"top_k is {sampling.top_k}; it must be 0 (keep all) or a whole number above")


def draw(logits: Tensor, uniforms: Tensor, sampling: Sampling) -> tuple[Tensor, Tensor]:
    """Ids [n] and log π under the temperature before top-k and top-p [n] of logits [n, V]; greedy log π is at temperature 1."""
    if logits.device.type == "mps":  # It has no float64.
        logits, uniforms = logits.cpu(), uniforms.cpu()
    if sampling.temperature == 0:
        top, ids = logits.max(-1)
        return ids, top - torch.logsumexp(logits, -1)
    logits = logits * (1 / sampling.temperature)
    logprobs = logits - torch.logsumexp(logits, -1, keepdim=True)
    probabilities = logprobs.exp()
    if sampling.top_k > 0 or sampling.top_p < 1:
        probabilities = keep(probabilities, sampling)
    ids = invert(probabilities, uniforms)
    return ids, logprobs.gather(-1, ids[:, None])[:, 0]


def keep(probabilities: Tensor, sampling: Sampling) -> Tensor:
    """
    Zero for what the filters leave out. top_k keeps the k most probable ids; top_p then keeps the smallest set of the most probable
    ids whose share of what is left reaches p; ties go to the lower id.
    """
    ordered, ids = torch.sort(probabilities, dim=-1, descending=True, stable=True)
    if sampling.top_k > 0:
        ordered[:, sampling.top_k :] = 0
    if sampling.top_p < 1:
        before = ordered.double().cumsum(-1)
        goal = sampling.top_p * before[:, -1:]
        before -= ordered
        left_out = before >= goal
        left_out[:, 0] = False
        ordered = ordered.masked_fill(left_out, 0)
    return torch.zeros_like(probabilities).scatter_(-1, ids, ordered)


def invert(probabilities: Tensor, uniforms: Tensor) -> Tensor:
    """The first id, in id order, whose cumulative probability exceeds uniform · total: [n] of [n, V]."""
    rows, vocabulary = probabilities.shape
    chunks = -(-vocabulary // CHUNK)
    padded = torch.nn.functional.pad(probabilities, (0, chunks * CHUNK - vocabulary)).view(rows, chunks, CHUNK)
    ends = padded.sum(-1, dtype=torch.float64).cumsum(-1)
    goal = uniforms.to(probabilities.device).double()[:, None] * ends[:, -1:]
    chunk = torch.searchsorted(ends, goal, right=True).clamp(max=chunks - 1)
    # Where rounding leaves nothing above the goal, the last id with any probability is taken.
    before = torch.where(chunk > 0, ends.gather(-1, (chunk - 1).clamp(min=0)), 0)
    inside = padded[torch.arange(rows, device=padded.device), chunk[:, 0]].double()
    sums = inside.cumsum(-1) + before
    last = CHUNK - 1 - (inside.flip(-1) > 0).to(torch.uint8).argmax(-1)
    place = torch.searchsorted(sums, goal, right=True)[:, 0].minimum(last)
    return chunk[:, 0] * CHUNK + place
