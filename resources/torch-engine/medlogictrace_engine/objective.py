"""The loss of tokens and its derivative by log π, as main/policy/tfjs/objective.ts computes it, over whole arrays.

Policy gradient (Schulman et al., arXiv 1707.06347, with the two-sided bound of Ye et al., arXiv 1912.09729, and the k3
estimator of Schulman's "Approximating KL divergence"): ρ = exp(log π − log π_old),
ℓ = −min(min(ρ, δ)·A, clip(ρ, 1 − ε, 1 + ε_high)·A) + β·k3, k3 = e^d − d − 1, d = log π_ref − log π. Supervised: ℓ = −log π.
The reduction is in the weights: the engine only sums weight × ℓ.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import torch
from torch import Tensor


@dataclass(frozen=True)
class Objective:
    kind: str
    temperature: float = 1.0
    epsilon: float = 0.2
    epsilon_high: float = 0.2
    delta: float | None = None
    beta: float = 0.0


@dataclass
class TokenBatch:
    """What the objective knows of each completion token; all [tokens]. Without `has_old` the ratio is 1 with the right gradient."""

    mask: Tensor
    weights: Tensor
    advantages: Tensor
    old: Tensor
    has_old: Tensor
    reference: Tensor
    has_reference: Tensor

    def part(self, start: int, end: int) -> TokenBatch:
        return TokenBatch(**{f.name: getattr(self, f.name)[start:end] for f in fields(self)})


TOTALS = ("loss", "count", "entropy", "kl", "ratio", "low", "high")


def token_slopes(objective: Objective, logprobs: Tensor, entropy: Tensor, batch: TokenBatch, totals: Tensor) -> Tensor:
    """∂(weight·ℓ)/∂log π of each token, [tokens]; adds the sums named by TOTALS to `totals` (float64)."""
    counts = batch.mask != 0
    weights = batch.mask * batch.weights
    zero = torch.zeros_like(logprobs)
    if objective.kind == "supervised":
        loss, slope, ratio, k3 = -logprobs, -torch.ones_like(logprobs), torch.ones_like(logprobs), zero
        low = high = torch.zeros_like(counts)
    else:
        ratio = torch.where(batch.has_old, torch.exp(logprobs - batch.old), torch.ones_like(logprobs))
        loss, slope = clipped(objective, ratio, batch.advantages)
        d = torch.where(batch.has_reference, batch.reference - logprobs, zero)
        k3 = torch.expm1(d) - d
        if objective.beta != 0:
            loss = loss + objective.beta * k3
            slope = slope - objective.beta * torch.expm1(d)
        low = (ratio < 1 - objective.epsilon) & (batch.advantages < 0)
        high = (ratio > 1 + objective.epsilon_high) & (batch.advantages > 0)
    for i, values in enumerate((weights * loss, torch.ones_like(logprobs), entropy, k3, ratio, low, high)):
        totals[i] += torch.where(counts, values, torch.zeros_like(values)).sum(dtype=torch.float64).to(totals.device)
    return torch.where(counts, weights * slope, zero)


def clipped(objective: Objective, ratio: Tensor, advantages: Tensor) -> tuple[Tensor, Tensor]:
    """The clipped surrogate and its derivative by log π (dρ/dlog π = ρ). Where both terms are equal each gives half of it."""
    low, high = 1 - objective.epsilon, 1 + objective.epsilon_high
    bounded = ratio if objective.delta is None else ratio.clamp(max=objective.delta)
    first, second = bounded * advantages, ratio.clamp(low, high) * advantages
    full, none = -ratio * advantages, torch.zeros_like(ratio)
    first_slope = full if objective.delta is None else torch.where(ratio <= objective.delta, full, none)
    second_slope = torch.where((ratio >= low) & (ratio <= high), full, none)
    slope = torch.where(first < second, first_slope, torch.where(second < first, second_slope, (first_slope + second_slope) / 2))
    return -torch.minimum(first, second), slope
