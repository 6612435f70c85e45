"""The output layer over the rows that predict something, a chunk at a time, so that [tokens, vocabulary] never exists as a whole.

Scores need no gradient. In training the derivative of the loss by a token's log-probability depends on that token alone, so each
chunk's backward pass is done while its logits are there: nothing is kept, nothing is computed twice.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

SLOPES = Callable[[int, Tensor, Tensor], Tensor]
"""(first row, log-probabilities, entropies) of a chunk to the derivative of the loss by each log-probability."""


@dataclass
class Scores:
    """[T] each, float32; `greedy` is whether the target is the arg-max."""

    logprobs: Tensor
    entropy: Tensor
    greedy: Tensor


def chunk_rows(vocabulary: int, device: torch.device) -> int:
    """Rows of logits at once: 32 MiB on a processor, 512 MiB on an accelerator."""
    floats = (1 << 23) if device.type == "cpu" else (1 << 27)
    return max(16, floats // vocabulary)


def logits_of(hidden: Tensor, weight: Tensor) -> Tensor:
    """float32 logits of rows. In bfloat16 on CUDA the product is summed and given in float32; elsewhere it is rounded first."""
    if hidden.dtype != torch.float32 and hidden.device.type == "cuda":
        return torch.mm(hidden, weight.t(), out_dtype=torch.float32)
    return torch.nn.functional.linear(hidden, weight).float()


def score(logits: Tensor, targets: Tensor) -> tuple[Scores, Tensor]:
    """Scores of logits [n, V] that the temperature has divided already, and log Σ e^z [n, 1]; logits become probabilities."""
    log_sum = torch.logsumexp(logits, -1, keepdim=True)
    wanted = logits.gather(-1, targets[:, None])
    greedy = logits.argmax(-1) == targets
    # Σ p·z before z is overwritten: the row's entropy is log Σ e^z − Σ p·z.
    probabilities = torch.exp(logits - log_sum)
    expected = torch.linalg.vecdot(probabilities, logits)
    logits.copy_(probabilities)
    return Scores((wanted - log_sum)[:, 0], log_sum[:, 0] - expected, greedy), log_sum


@torch.no_grad()
def score_rows(hidden: Tensor, weight: Tensor, targets: Tensor, temperature: float) -> Scores:
    """Scores of rows hidden [T, H] under the output weights [V, H]."""
    parts = []
    step = chunk_rows(weight.shape[0], hidden.device)
    weight = weight.to(hidden.dtype)
    for at in range(0, hidden.shape[0], step):
        logits = logits_of(hidden[at : at + step], weight)
        if temperature != 1:
            logits /= temperature
        parts.append(score(logits, targets[at : at + step])[0])
    if not parts:
        none = hidden.new_zeros(0, dtype=torch.float32)
        return Scores(none, none, none.bool())
    return Scores(*(torch.cat([getattr(part, name) for part in parts]) for name in ("logprobs", "entropy", "greedy")))


class WeightedHead(torch.autograd.Function):
    """Loss of rows hidden [T, H]: a scalar whose value is 0 and whose gradient is the objective's."""

    @staticmethod
    def forward(ctx: Any, hidden: Tensor, weight: Tensor, targets: Tensor, temperature: float, slopes: SLOPES) -> Tensor:
        wants_weight = weight.requires_grad
        compute = weight.detach().to(hidden.dtype)
        d_hidden = torch.empty_like(hidden)
        # An existing gradient is added to in place; sharded weights have none to add to here.
        grad = weight.grad if wants_weight and isinstance(weight, torch.nn.Parameter) else None
        d_weight = torch.zeros_like(weight) if wants_weight and grad is None else grad
        step = chunk_rows(weight.shape[0], hidden.device)
        for at in range(0, hidden.shape[0], step):
            rows, wanted = hidden[at : at + step], targets[at : at + step]
            logits = logits_of(rows, compute)
            if temperature != 1:
                logits /= temperature
            scores, _ = score(logits, wanted)
            slope = slopes(at, scores.logprobs, scores.entropy)[:, None]
            # slope · (onehot(target) − softmax(z)) / temperature, in the place of the probabilities
            logits.mul_(-slope).scatter_add_(-1, wanted[:, None], slope)
            if temperature != 1:
                logits /= temperature
            d_logits = logits.to(hidden.dtype)
            d_hidden[at : at + step] = d_logits @ compute
            if d_weight is not None:
                if d_weight.dtype == d_logits.dtype:
                    d_weight.addmm_(d_logits.t(), rows)
                else:
                    d_weight += d_logits.t() @ rows
        ctx.save_for_backward(d_hidden, d_weight if wants_weight and grad is None else None)
        return hidden.new_zeros((), dtype=torch.float32)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor | None, None, None, None]:
        d_hidden, d_weight = ctx.saved_tensors
        return d_hidden, d_weight, None, None, None
