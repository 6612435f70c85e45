"""Writing completions. `Rollout` is what the engine asks of a generator, so that another (vLLM) can be put in its place;
`SlotRollout` is the engine's own: continuous batching over a static key-value cache in slots.

Why its own and not Transformers' paged `generate_batch`: docs/scaling.md, "Generation"; test/bench/torch-generate.bench.ts
measures both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.distributed.distributed_c10d import Store

from .decoder import SlotCache, Weights, padded, prompt_logits, step_logits
from .packing import Ids, micro_batches
from .philox import stream_key, token_uniforms
from .sampling import Sampling, draw
from .team import VerbError

STOP, LENGTH = 1, 2
"""How a row ended: by a stop token, which is part of it, or at its limit. 0: it goes on."""


@dataclass(frozen=True)
class Prompt:
    key: str
    ids: Ids


@dataclass(frozen=True)
class GenerateRequest:
    prompts: list[Prompt]
    n: int
    first_sample: int
    sampling: Sampling
    max_completion_length: int
    stop: frozenset[int]
    batch_size: int | None
    context: int


@dataclass
class Step:
    """Tokens that came together; columns of equal length."""

    prompt: list[int] = field(default_factory=list)
    sample: list[int] = field(default_factory=list)
    position: list[int] = field(default_factory=list)
    id: list[int] = field(default_factory=list)
    logprob: list[float] = field(default_factory=list)
    finish: list[int] = field(default_factory=list)


class Jobs(Protocol):
    """The rows that are to be written, numbered prompt × n + sample; handed out as ranks have room."""

    def take(self, most: int) -> range:
        """Up to `most` that nobody else has; none once all are taken."""
        ...


class Rollout(Protocol):
    """Writes rows until none are left. `emit` is called with tokens as they come; `check` often, and raises in order to stop."""

    def run(self, request: GenerateRequest, jobs: Jobs, emit: Callable[[Step], None], check: Callable[[], None]) -> None: ...


class OwnJobs:
    """All rows, for one rank."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.next = 0

    def take(self, most: int) -> range:
        first = self.next
        self.next = min(self.total, first + most)
        return range(first, self.next)


class SharedJobs:
    """Rows from a counter that all ranks draw from, so that none idles while another has rows waiting."""

    def __init__(self, total: int, store: Store, name: str) -> None:
        self.total = total
        self.store = store
        self.name = name

    def take(self, most: int) -> range:
        if most == 0:
            return range(0)
        end = self.store.add(self.name, most)
        return range(min(self.total, end - most), min(self.total, end))


@dataclass
class Row:
    prompt: int
    sample: int
    start: int
    limit: int
    uniforms: NDArray[np.float32]
    count: int = 0
    last: int = 0


@contextmanager
def any_order() -> Iterator[None]:
    """
    PyTorch's deterministic mode off, where it is on. It sorts the places of every write to the key-value cache, which took half of a decode
    step's time on an H200; each place is written once, so that no order changes anything.
    """
    if not torch.are_deterministic_algorithms_enabled():
        yield
        return
    warn_only = torch.is_deterministic_algorithms_warn_only_enabled()
    torch.use_deterministic_algorithms(False)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(True, warn_only=warn_only)


class SlotRollout:
    def __init__(self, weights: Weights, max_tokens: int, cache_bytes: int, default_rows: int) -> None:
        self.weights = weights
        self.max_tokens = max_tokens
        self.cache_bytes = cache_bytes
        self.default_rows = default_rows
        self.cache: SlotCache | None = None
        self.size = (0, 0)

    def slots(self, request: GenerateRequest, share: int, capacity: int) -> int:
        """Rows at once: what was asked for or the default, as far as there are rows and memory."""
        w = self.weights
        row = 2 * len(w.layers) * w.key_heads * w.width * capacity * w.compute.itemsize
        return max(1, min(share, request.batch_size or self.default_rows, self.cache_bytes // row))

    def room(self, slots: int, capacity: int) -> SlotCache:
        if self.cache is None or self.size[0] < slots or self.size[1] < capacity:
            self.cache = None  # The old one's memory first.
            self.cache = SlotCache(self.weights, slots, capacity)
            self.size = (slots, capacity)
        return self.cache

    @torch.inference_mode()
    def run(self, request: GenerateRequest, jobs: Jobs, emit: Callable[[Step], None], check: Callable[[], None], ranks: int = 1) -> None:
        longest = max(len(prompt.ids) + limit_of(request, prompt) for prompt in request.prompts)
        capacity = -(-longest // 64) * 64
        share = -(-len(request.prompts) * request.n // ranks)
        slots = self.slots(request, share, capacity)
        cache = self.room(slots, capacity)
        streams = [stream_key(prompt.key) for prompt in request.prompts]
        active: list[Row] = []
        waiting = True
        while waiting or active:
            check()
            free = slots - len(active)
            # New rows come in groups, so that their prompts share products; while nothing runs there is nothing to wait for.
            if waiting and free > 0 and (not active or free >= max(1, slots // 8)):
                taken = jobs.take(free)
                waiting = len(taken) == free
                if taken:
                    rows = [new_row(job, request, streams) for job in taken]
                    first = len(active)
                    active += rows
                    self.read_prompts(request, cache, rows, first, emit, check)
                    self.drop_ended(active, cache)
                continue
            ids = torch.tensor([row.last for row in active])
            positions = torch.tensor([row.start + row.count - 1 for row in active])
            span = min(capacity, -(-(int(positions.max()) + 1) // 32) * 32)
            logits = step_logits(self.weights, cache, ids.to(self.weights.device), positions.to(self.weights.device), span)
            emit(self.append(request, active, logits))
            self.drop_ended(active, cache)

    def read_prompts(
        self,
        request: GenerateRequest,
        cache: SlotCache,
        rows: list[Row],
        first: int,
        emit: Callable[[Step], None],
        check: Callable[[], None],
    ) -> None:
        """Reads the prompts of new rows, one reading for all samples of a prompt, and draws each row's first token."""
        together: dict[int, list[int]] = {}
        for i, row in enumerate(rows):
            together.setdefault(row.prompt, []).append(i)
        prompts = list(together)
        lengths = [len(request.prompts[p].ids) for p in prompts]
        for group in micro_batches(range(len(prompts)), lengths, self.max_tokens):
            check()
            ids = padded([request.prompts[prompts[g]].ids for g in group], self.weights.device)
            members = [together[prompts[g]] for g in group]
            slots = [[first + i for i in each] for each in members]
            logits = prompt_logits(self.weights, cache, ids, [lengths[g] for g in group], slots)
            sources = torch.tensor([b for b, each in enumerate(members) for _ in each], device=logits.device)
            emit(self.append(request, [rows[i] for each in members for i in each], logits[sources]))

    def append(self, request: GenerateRequest, rows: list[Row], logits: Tensor) -> Step:
        """Draws a token for each row of logits. Errors: VerbError where the model's output is not finite."""
        uniforms = torch.from_numpy(np.array([row.uniforms[row.count] if len(row.uniforms) else 0 for row in rows], dtype=np.float32))
        drawn, chances = draw(logits, uniforms.to(logits.device), request.sampling)
        ids, logprobs = drawn.tolist(), chances.float().tolist()
        step = Step()
        for row, token, logprob in zip(rows, ids, logprobs, strict=True):
            if not -float("inf") < logprob < float("inf"):
                key = request.prompts[row.prompt].key
                raise VerbError(f"prompt {key}: the model's output is not finite; its weights are damaged")
            row.last = token
            row.count += 1
            finish = STOP if token in request.stop else LENGTH if row.count >= row.limit else 0
            step.prompt.append(row.prompt)
            step.sample.append(row.sample)
            step.position.append(row.count - 1)
            step.id.append(token)
            step.logprob.append(logprob)
            step.finish.append(finish)
            if finish:
                row.limit = 0  # Ended.
        return step

    def drop_ended(self, active: list[Row], cache: SlotCache) -> None:
        """Ended rows leave; the last row moves into the gap, so that the slots in use stay together."""
        slot = 0
        while slot < len(active):
            if active[slot].limit > 0:
                slot += 1
                continue
            last = active.pop()
            if slot < len(active):
                if last.limit > 0:
                    cache.move(len(active), slot, last.start + last.count - 1)
                active[slot] = last


def limit_of(request: GenerateRequest, prompt: Prompt) -> int:
    return min(request.max_completion_length, request.context - len(prompt.ids))


def new_row(job: int, request: GenerateRequest, streams: list[tuple[int, int]]) -> Row:
    index, i = divmod(job, request.n)
    prompt = request.prompts[index]
    sample = request.first_sample + i
    limit = limit_of(request, prompt)
    greedy = request.sampling.temperature == 0
    uniforms = np.zeros(0, dtype=np.float32) if greedy else token_uniforms(request.sampling.seed, streams[index], sample, 0, limit)
    return Row(index, sample, len(prompt.ids), limit, uniforms)
