"""AdamW over what is trained (Loshchilov & Hutter, arXiv 1711.05101; decay on every parameter, as the tfjs policy), the global norm that
gradients are clipped by, and both as a file that the tfjs policy's trainer state shares its form with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from .team import Team, VerbError

Named = list[tuple[str, nn.Parameter]]


@dataclass(frozen=True)
class AdamSettings:
    learning_rate: float
    adam_beta1: float
    adam_beta2: float
    adam_epsilon: float
    weight_decay: float
    max_grad_norm: float


def local(tensor: Tensor) -> Tensor:
    """This rank's part of a sharded tensor, else the tensor."""
    part = getattr(tensor, "to_local", None)
    return part() if part is not None else tensor


class Gradients:
    """Gradients of all trained parameters as views into one array, so that they are zeroed, added over ranks and measured as one."""

    def __init__(self, named: Named, team: Team, sharded: bool) -> None:
        self.named = named
        self.team = team
        self.sharded = sharded
        self.flat: Tensor | None = None

    def prepare(self) -> None:
        """All zero. Sharded parameters get theirs from the backward pass."""
        if self.sharded:
            for _, parameter in self.named:
                parameter.grad = None
            return
        if self.flat is None:
            self.flat = torch.zeros(sum(p.numel() for _, p in self.named), device=self.team.device)
            at = 0
            for _, parameter in self.named:
                parameter.grad = self.flat[at : at + parameter.numel()].view_as(parameter)
                at += parameter.numel()
        else:
            self.flat.zero_()

    def reduce(self) -> None:
        """Adds them over ranks; sharded ones have been, in the backward pass."""
        if self.flat is not None and self.team.world > 1:
            # In pieces, since a library may not take more than 2³¹ values at once.
            for piece in self.flat.split(1 << 28):
                self.team.add(piece)

    def norm(self) -> float:
        """Global L2 norm, the same on every rank."""
        if self.flat is not None:
            pieces = [torch.linalg.vector_norm(piece) for piece in self.flat.split(1 << 22)]
        else:
            pieces = [torch.linalg.vector_norm(local(p.grad)) for _, p in self.named if p.grad is not None]
        square = torch.stack(pieces).cpu().double().square().sum().reshape(1)
        if self.sharded:
            self.team.add(square)
        return float(square.sqrt())

    def scale(self, factor: float) -> None:
        if self.flat is not None:
            self.flat *= factor
        else:
            torch._foreach_mul_([local(p.grad) for _, p in self.named if p.grad is not None], factor)

    def release(self) -> None:
        """Gives the memory of sharded gradients back; the flat array stays for the next step."""
        if self.sharded:
            for _, parameter in self.named:
                parameter.grad = None


class Optimizer:
    def __init__(self, named: Named, sharded: bool) -> None:
        self.named = named
        self.step = 0
        self.adam = torch.optim.AdamW([p for _, p in named], lr=0.0, fused=not sharded, foreach=True if sharded else None)

    def apply(self, settings: AdamSettings) -> None:
        for group in self.adam.param_groups:
            group["lr"] = settings.learning_rate
            group["betas"] = (settings.adam_beta1, settings.adam_beta2)
            group["eps"] = settings.adam_epsilon
            group["weight_decay"] = settings.weight_decay
        self.adam.step()
        self.step += 1

    def moments(self, whole: Callable[[Tensor], Tensor]) -> dict[str, Tensor]:
        """By the names of the trainer file; none before the first step."""
        found: dict[str, Tensor] = {}
        for kind in ("exp_avg", "exp_avg_sq"):
            for name, parameter in self.named:
                state = self.adam.state.get(parameter)
                if state:
                    found[f"{kind}.{name}"] = whole(state[kind]).cpu()
        return found

    def set_moments(self, tensors: dict[str, Tensor], step: int, assign: Callable[[Tensor, Tensor], None]) -> None:
        """Errors: VerbError, with nothing changed, where they are not of these parameters."""
        if not tensors:
            if step != 0:
                raise VerbError(f"the trainer state holds no moments although {step} steps were taken")
            self.adam.state.clear()
            self.step = 0
            return
        for kind in ("exp_avg", "exp_avg_sq"):
            for name, parameter in self.named:
                given = tensors.get(f"{kind}.{name}")
                if given is None or given.shape != parameter.shape:
                    shape = None if given is None else list(given.shape)
                    raise VerbError(f"the trainer state does not fit this model: {kind}.{name} is {shape}, not {list(parameter.shape)}")
        with torch.no_grad():
            for name, parameter in self.named:
                state: dict[str, Any] = self.adam.state[parameter]
                # Fused kernels keep the step count where the parameter is.
                where = parameter.device if self.adam.param_groups[0]["fused"] else torch.device("cpu")
                state["step"] = torch.tensor(float(step), device=where)
                for kind in ("exp_avg", "exp_avg_sq"):
                    state[kind] = torch.zeros_like(parameter)
                    assign(state[kind], tensors[f"{kind}.{name}"])
        self.step = step
