"""The ranks of one engine: who they are, and how they agree that a piece of work went well everywhere before anything changes.

One machine. Rank 0 hands each message of the runner on to the others over a Unix socket of theirs (`ranks.py`); numbers that must be
added go through torch.distributed (NCCL between GPUs, gloo between processors).
"""

from __future__ import annotations

import datetime
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import torch
import torch.distributed as dist
from torch.distributed.distributed_c10d import PrefixStore, Store
from torch.distributed.rendezvous import rendezvous

T = TypeVar("T")

PATIENCE = datetime.timedelta(days=7)
"""A rank that is lost is noticed by its process, not by a time-out: one rank may rightly work for hours while another waits."""


class VerbError(Exception):
    """The work cannot be done; the message is for the user. The engine goes on."""


class Cancelled(Exception):
    """The runner asked to stop; nothing has changed."""


@dataclass(frozen=True)
class Team:
    rank: int
    world: int
    device: torch.device
    store: Store | None

    def settle(self, work: Callable[[], T]) -> T:
        """Does the work; returns once it went well on every rank. Errors, on every rank alike: what went wrong on the first that failed."""
        result: T | None = None
        failure: tuple[str, str] | None = None
        try:
            result = work()
        except Cancelled as error:
            failure = ("cancelled", str(error))
        except torch.OutOfMemoryError as error:
            failure = (
                "failed",
                f"memory ran out: {str(error).splitlines()[0]} Use smaller batches, gradient_checkpointing, or sharding fsdp.",
            )
        except (VerbError, ValueError, KeyError, OSError, RuntimeError) as error:
            if self.world == 1 and not isinstance(error, VerbError | ValueError | OSError):
                raise
            failure = ("failed", str(error) if isinstance(error, VerbError | ValueError | OSError) else f"{type(error).__name__}: {error}")
        failures = [each for each in self.everyones(failure) if each is not None]
        for kind, message in failures:
            if kind != "cancelled":
                raise VerbError(message)
        if failures:
            raise Cancelled(failures[0][1])
        return result  # type: ignore[return-value]

    def everyones(self, value: T) -> list[T]:
        """Each rank's value, on every rank."""
        if self.world == 1:
            return [value]
        values: list[T] = [value] * self.world
        dist.all_gather_object(values, value)
        return values

    def add(self, values: torch.Tensor) -> None:
        """Adds a tensor over ranks, in place."""
        if self.world > 1:
            dist.all_reduce(values)

    def any(self, flag: bool) -> bool:
        """Whether the flag is set anywhere."""
        if self.world == 1:
            return flag
        votes = torch.tensor([int(flag)])
        dist.all_reduce(votes, op=dist.ReduceOp.MAX)
        return bool(votes.item())


def choose_device(local_rank: int, world: int) -> torch.device:
    if torch.cuda.is_available() and torch.cuda.device_count() >= world:
        return torch.device("cuda", local_rank)
    if world == 1 and torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def join_team() -> Team:
    """This process's place among those that torchrun started; alone where none did."""
    rank, world = int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))
    device = choose_device(int(os.environ.get("LOCAL_RANK", "0")), world)
    if device.type == "cuda":
        torch.cuda.set_device(device)
    if world == 1:
        return Team(rank, world, device, None)
    backend = "cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo"
    store, rank, world = next(rendezvous("env://", rank, world, timeout=PATIENCE))
    store.set_timeout(PATIENCE)
    dist.init_process_group(backend, store=PrefixStore("engine", store), rank=rank, world_size=world, timeout=PATIENCE)
    return Team(rank, world, device, PrefixStore("work", store))
