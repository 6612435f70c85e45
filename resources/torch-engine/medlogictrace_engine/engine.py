"""The verbs of the Policy contract on one rank. Every rank gets every request whole and finds its own share of it by itself."""

from __future__ import annotations

import itertools
import resource
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch

from .decoder import Weights
from .head import Scores, WeightedHead, score_rows
from .model import Model, assign, whole
from .objective import TOTALS, Objective, TokenBatch, token_slopes
from .optimizer import AdamSettings, Gradients, Optimizer
from .packing import Batch, Sequence, check_sequences, collate, micro_batches, own_inputs, sequences_of, shard, shared_inputs
from .philox import dropout_seed
from .protocol import Array, Frame
from .rollout import GenerateRequest, Jobs, OwnJobs, Prompt, SharedJobs, SlotRollout, Step, any_order
from .sampling import Sampling, check_sampling
from .settings import Settings, take
from .storage import load_adapter, read_tensors, save_adapter, write_tensors
from .team import Cancelled, Team, VerbError

TRAINER_FILE = "trainer.safetensors"
ADAPTER_PREFIX = "adapter."
Emit = Callable[[Step], None]
Check = Callable[[], None]

GENERATIONS = itertools.count()
"""Numbers the counters that rows are handed out by; every rank counts alike."""

WORTH_SHARING = 0.75
"""A sequence joins a row where it costs at most this share of a row of its own: masks and longer rows are work too."""

FLUSH_SECONDS = 0.01
"""Tokens of a small model come faster than it is worth sending them one step at a time."""


class Engine:
    def __init__(self, settings: Settings, team: Team) -> None:
        self.team = team
        self.settings = settings
        # Processor kernels sum in an order that depends on the number of threads: the same number gives the same bytes.
        torch.set_num_threads(settings.threads)
        if team.device.type == "cuda":
            # The kernels used here are so on a processor anyway, and asking for it imports a compiler.
            torch.use_deterministic_algorithms(True, warn_only=True)
            # Memory is never read before it is written; filling it anew for each tensor is work for nothing.
            torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
        self.model = Model(settings, team)
        self.context: int = self.model.config.max_position_embeddings
        self.vocabulary: int = self.model.config.vocab_size
        self.gradients = Gradients(self.model.trained(), team, self.model.sharded)
        self.optimizer: Optimizer | None = None
        self.rollout: tuple[int, SlotRollout] | None = None
        self.max_tokens = settings.max_batch_tokens or self.affordable_tokens()

    def affordable_tokens(self) -> int:
        """Padded tokens of a micro-batch: what activations (kept for the backward pass) may take of memory."""
        c = self.model.config
        heads = c.num_attention_heads * (getattr(c, "head_dim", None) or c.hidden_size // c.num_attention_heads)
        size = 4 if self.model.compute == torch.float32 else 2
        layer = size * (6 * c.hidden_size + 4 * heads + 4 * c.intermediate_size) + 8 * c.hidden_size
        kept = c.hidden_size * 4 * c.num_hidden_layers + 4 * layer if self.settings.gradient_checkpointing else layer * c.num_hidden_layers
        room = 1 << 30
        if self.team.device.type == "cuda":
            total = torch.cuda.get_device_properties(self.team.device).total_memory
            held = 16 * self.model.parameters // (self.team.world if self.model.sharded else 1)
            room = max(room, int(0.5 * (total - held)))
        return int(max(64, min(1 << 16, room // kept)))

    def describe(self) -> dict[str, Any]:
        """PolicyInfo, but for what only the runner knows."""
        device, ranks = self.team.device, self.team.world
        name = torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
        how = "sharded" if self.model.sharded else "replicated"
        return {
            "architecture": (self.model.config.architectures or ["unknown"])[0],
            "parameters": self.model.parameters,
            "device": name if ranks == 1 else f"{ranks} x {name}, {how}",
            "dtype": self.settings.dtype,
            "vocabulary": self.vocabulary,
            "context": self.context,
            "memory": self.memory(),
            "max_batch_tokens": self.max_tokens,
            "ranks": ranks,
        }

    def memory(self) -> dict[str, int | None]:
        """Bytes on this rank's device, or of this process where it computes on the processor."""
        if self.team.device.type == "cuda":
            return {
                "used": torch.cuda.memory_allocated(self.team.device),
                "limit": torch.cuda.get_device_properties(self.team.device).total_memory,
            }
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return {"used": peak if sys.platform == "darwin" else peak * 1024, "limit": None}

    # ---- log-probabilities

    def logprobs(self, frame: Frame, check: Check) -> dict[str, Array] | None:
        """Scores of every completion token in the order of the request; None on ranks other than 0."""
        sequences = sequences_of(frame)
        check_sequences(sequences, self.context, self.vocabulary)
        which = take(frame.header, "model", str)
        temperature = float(take(frame.header, "temperature", int, float))
        check_temperature(temperature)
        inputs = shared_inputs(sequences, self.joins)
        lengths = [len(item.ids) + 1 for item in inputs]
        mine, rounds = self.plan(lengths, None)

        def own() -> list[tuple[int, Array, Array, Array]]:
            found: list[tuple[int, Array, Array, Array]] = []
            for turn in range(rounds):
                self.agree(check)
                batch = collate([inputs[i] for i in mine[turn]] if turn < len(mine) else [], self.team.device)
                head = partial(score_rows, targets=batch.targets, temperature=temperature)
                with torch.no_grad():
                    found += cut(self.model.score(which, batch, head), batch)
            return found

        parts = self.team.everyones(self.team.settle(own))
        if self.team.rank != 0:
            return None
        by_number = {number: rest for part in parts for number, *rest in part}
        none: list[Array] = [np.zeros(0, np.float32), np.zeros(0, np.float32), np.zeros(0, np.uint8)]
        columns = list(zip(*(by_number.get(s.number, none) for s in sequences), strict=True)) if sequences else [[each] for each in none]
        return {name: np.concatenate(column) for name, column in zip(("logprobs", "entropy", "greedy"), columns, strict=True)}

    def joins(self, row: int, whole: int, added: int) -> bool:
        """
        Whether a sequence goes on in a row that holds its beginning: where that is less work than a row of its own, and memory allows.
        What tokens of a row do not see of one another is computed all the same.
        """
        together = self.row_cost(row + added) - self.row_cost(row)
        return together <= WORTH_SHARING * self.row_cost(whole) and row + added <= max(self.max_tokens, whole + whole // 8)

    def row_cost(self, tokens: int) -> int:
        """Multiplications of one layer over a row of so many tokens: each with the weights, and every token with every other."""
        c = self.model.config
        width = getattr(c, "head_dim", None) or c.hidden_size // c.num_attention_heads
        queries, keys = c.num_attention_heads * width, c.num_key_value_heads * width
        weights = c.hidden_size * (2 * queries + 2 * keys + 3 * c.intermediate_size)
        return int(tokens * (weights + 2 * queries * tokens))

    def plan(self, lengths: list[int], rows: int | None) -> tuple[list[list[int]], int]:
        """This rank's micro-batches, and how many turns all ranks take: sharded weights are gathered by all in each of them."""
        enough = 512 if self.team.device.type == "cpu" else 1 << 14
        plans = [micro_batches(part, lengths, self.max_tokens, rows, enough) for part in shard(lengths, self.team.world)]
        mine = plans[self.team.rank]
        return mine, max(map(len, plans)) if self.model.sharded else len(mine)

    def agree(self, check: Check) -> None:
        """Stops here if asked to: where weights are sharded on every rank at the same turn, else each for itself."""
        if not self.model.sharded:
            return check()
        stopped = False
        try:
            check()
        except Cancelled:
            stopped = True
        if self.team.any(stopped):
            raise Cancelled("stopped by the runner")

    # ---- one optimizer step

    def update(self, frame: Frame, check: Check) -> dict[str, Any]:
        started = time.perf_counter()
        header = frame.header
        sequences = sequences_of(frame)
        if not sequences:
            raise VerbError("an update needs at least one sequence")
        check_sequences(sequences, self.context, self.vocabulary)
        objective = Objective(**header["objective"])
        check_temperature(objective.temperature)
        settings = AdamSettings(**header["optimizer"])
        size = take(header, "micro_batch_size", int, type(None))
        if size is not None and size < 1:
            raise VerbError(f"micro_batch_size is {size}; it must be 1 or more")
        tokens = TokenColumns(frame, sequences)
        inputs = own_inputs(sequences)
        mine, rounds = self.plan([len(item.ids) for item in inputs], size)
        totals = torch.zeros(len(TOTALS), dtype=torch.float64)
        computed = started
        self.forget_copies()
        self.gradients.prepare()

        def own() -> None:
            self.model.base.train()
            try:
                for turn in range(rounds):
                    self.agree(check)
                    batch = collate([inputs[i] for i in mine[turn]] if turn < len(mine) else [], self.team.device)
                    self.seed_dropout(turn)
                    self.add_gradient(batch, tokens.of(batch, self.team.device), objective, totals)
            finally:
                self.model.base.eval()
            if self.team.device.type == "cuda":
                torch.cuda.synchronize()  # What has only been asked for so far is this rank's work too.
            nonlocal computed
            computed = time.perf_counter()

        try:
            self.team.settle(own)
            self.gradients.reduce()
            norm = self.gradients.norm()
            if not norm < float("inf"):
                step = (self.optimizer.step if self.optimizer else 0) + 1
                raise VerbError(
                    f"the gradient norm is {norm} at optimizer step {step}; the weights are unchanged. Lower the learning rate."
                )
            self.team.settle(check)
            if settings.max_grad_norm > 0 and norm + 1e-6 > settings.max_grad_norm:
                self.gradients.scale(settings.max_grad_norm / (norm + 1e-6))
            self.trainer().apply(settings)
            self.model.version += 1
        finally:
            self.gradients.release()
        self.team.add(totals)
        sums = dict(zip(TOTALS, totals.tolist(), strict=True))
        count = max(1.0, sums["count"])
        return {
            "loss": sums["loss"],
            "grad_norm": norm,
            "entropy": sums["entropy"] / count,
            "kl": sums["kl"] / count,
            "mean_ratio": 1.0 if sums["count"] == 0 else sums["ratio"] / count,
            "clip_ratio_low": sums["low"] / count,
            "clip_ratio_high": sums["high"] / count,
            "tokens": sum(s.length for s in sequences),
            **self.rank_seconds("update", computed - started, time.perf_counter() - started),
        }

    def seed_dropout(self, turn: int) -> None:
        """An adapter's dropout is drawn by PyTorch, so its masks are of a micro-batch and a rank; a run that goes on meets the same."""
        lora = self.settings.lora
        if lora is not None and lora.lora_dropout > 0:
            step = self.optimizer.step if self.optimizer else 0
            torch.manual_seed(dropout_seed(self.settings.seed, step, turn * self.team.world + self.team.rank))

    def rank_seconds(self, part: str, busy: float, whole: float) -> dict[str, Any]:
        """What each of several ranks did, and how long it stood still until the slowest was done."""
        if self.team.world == 1:
            return {}
        spent = self.team.everyones((busy, whole))
        slowest = max(each for each, _ in spent)
        waiting = [slowest - each for each, _ in spent]
        return {"rank_seconds": {part: [max(0.0, all_ - idle) for (_, all_), idle in zip(spent, waiting, strict=True)], "waiting": waiting}}

    def add_gradient(self, batch: Batch, tokens: TokenBatch, objective: Objective, totals: torch.Tensor) -> None:
        """Adds the gradient of one micro-batch's Σ weights · ℓ to the parameters' gradients, and its sums to `totals`."""
        temperature = objective.temperature if objective.kind == "policy_gradient" else 1.0

        def slopes(first: int, logprobs: torch.Tensor, entropy: torch.Tensor) -> torch.Tensor:
            return token_slopes(objective, logprobs, entropy, tokens.part(first, first + len(logprobs)), totals)

        def head(hidden: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
            loss: torch.Tensor = WeightedHead.apply(hidden, weight, batch.targets, temperature, slopes)
            return loss

        loss = self.model.score("policy", batch, head)
        loss.backward()  # type: ignore[no-untyped-call]

    def trainer(self) -> Optimizer:
        """Made at the first step, so that a policy that only generates does not pay for its memory."""
        if self.optimizer is None:
            self.optimizer = Optimizer(self.model.trained(), self.model.sharded)
        return self.optimizer

    # ---- generation

    def generate(self, frame: Frame, emit: Emit, check: Check) -> dict[str, Any]:
        """Writes this rank's part of the rows."""
        started = time.perf_counter()
        request = self.generate_request(frame)
        rollout = self.writer()
        total = len(request.prompts) * request.n
        jobs: Jobs = OwnJobs(total) if self.team.store is None else SharedJobs(total, self.team.store, f"rows/{next(GENERATIONS)}")
        batched = Batched(emit)
        ended = started

        def own() -> None:
            with any_order():
                rollout.run(request, jobs, batched.add, check, self.team.world)
            batched.flush()
            nonlocal ended
            ended = time.perf_counter()

        if total > 0:
            self.team.settle(own)
        return self.rank_seconds("generation", ended - started, ended - started)

    def generate_request(self, frame: Frame) -> GenerateRequest:
        """Errors: ValueError naming the prompt or the setting, its value and the limit."""
        h = frame.header
        sampling = Sampling(**h["sampling"])
        check_sampling(sampling)
        prompts = [Prompt(key, s.prompt) for key, s in zip(h["keys"], sequences_of(frame), strict=True)]
        for name in ("n", "max_completion_length"):
            if h[name] < 1:
                raise VerbError(f"{name} is {h[name]}; it must be 1 or more")
        for prompt in prompts:
            length = len(prompt.ids)
            if length == 0:
                raise VerbError(f"prompt {prompt.key} is empty; a prompt has at least one token")
            if length >= self.context:
                most = self.context - 1
                raise VerbError(f"prompt {prompt.key} has {length} tokens; the context holds {self.context}, so it may have at most {most}")
            wrong = prompt.ids[(prompt.ids < 0) | (prompt.ids >= self.vocabulary)]
            if len(wrong):
                raise VerbError(f"prompt {prompt.key} has token id {int(wrong[0])}; the vocabulary ends at {self.vocabulary - 1}")
        return GenerateRequest(
            prompts=prompts,
            n=h["n"],
            first_sample=h["first_sample"],
            sampling=sampling,
            max_completion_length=h["max_completion_length"],
            stop=frozenset(h["stop"]),
            batch_size=take(h, "batch_size", int, type(None)),
            context=self.context,
        )

    def writer(self) -> SlotRollout:
        """The generator with the current weights."""
        if self.rollout is None or self.rollout[0] != self.model.version:
            self.rollout = None
            weights = Weights(self.model)
            on_card = self.team.device.type == "cuda"
            room = int(0.6 * torch.cuda.mem_get_info(self.team.device)[0]) if on_card else 1 << 30
            self.rollout = (self.model.version, SlotRollout(weights, self.max_tokens, room, 256 if on_card else 128))
        return self.rollout[1]

    def forget_copies(self) -> None:
        """Gives the generator's memory to training. The next generation makes its copy of the weights anew anyway."""
        self.rollout = None

    # ---- files

    def save(self, folder: str, what: str) -> None:
        """`weights`: model.safetensors (the runner writes config.json). `trainer`: moments, steps, adapter. `adapter`: in PEFT's form."""
        if what == "weights":
            self.write(folder, "model.safetensors", dict(self.model.weights()), {"format": "pt"})
        elif what == "trainer":
            tensors = self.optimizer.moments(whole) if self.optimizer else {}
            step = self.optimizer.step if self.optimizer else 0
            if self.model.peft is not None:
                tensors |= {ADAPTER_PREFIX + name: whole(p).cpu() for name, p in self.model.trained()}
            # One entry: safetensors writes several in an order that changes from file to file.
            self.write(folder, TRAINER_FILE, tensors, {"step": str(step)})
        else:
            save_adapter(self.model, folder, self.team.rank == 0)

    def write(self, folder: str, name: str, tensors: dict[str, torch.Tensor], metadata: dict[str, str]) -> None:
        self.team.settle(lambda: write_tensors(folder, name, tensors, metadata) if self.team.rank == 0 else None)

    def load(self, folder: str, what: str) -> None:
        """Errors: VerbError, with nothing changed, where a file is not of this model."""
        if what == "weights":
            tensors = self.team.settle(lambda: read_tensors(folder, "model.safetensors")[0])
            self.model.set_weights(tensors)
        elif what == "trainer":
            self.load_trainer(folder)
        else:
            load_adapter(self.model, folder)

    def load_trainer(self, folder: str) -> None:
        tensors, metadata = self.team.settle(lambda: read_tensors(folder, TRAINER_FILE))
        step = metadata.get("step", "")
        if not step.isdecimal():
            raise VerbError(f"{folder}/{TRAINER_FILE}: step is {step!r}, not a whole number; the file is no trainer state")
        adapter = {name.removeprefix(ADAPTER_PREFIX): t for name, t in tensors.items() if name.startswith(ADAPTER_PREFIX)}
        moments = {name: t for name, t in tensors.items() if not name.startswith(ADAPTER_PREFIX)}
        named = dict(self.model.trained())
        if (set(adapter) if self.model.peft is not None else set()) != (set(named) if self.model.peft is not None else set(adapter)):
            raise VerbError(f"{folder}/{TRAINER_FILE} is of another adapter than this policy's")
        self.trainer().set_moments(moments, int(step), assign)
        if adapter:
            # The adapter stands on the weights that the policy was opened with, not on those it has been merged into.
            from .model import read_folder

            base = {name: p.detach() for name, p in read_folder(self.settings.model).named_parameters()}
            if self.model.config.tie_word_embeddings:
                base.pop("lm_head.weight", None)
            self.model.set_weights(base)
            with torch.no_grad():
                for name, parameter in named.items():
                    assign(parameter, adapter[name])
            self.model.version += 1


class TokenColumns:
    """What the objective knows of each token, by sequence."""

    def __init__(self, frame: Frame, sequences: list[Sequence]) -> None:
        t = frame.tensors
        ends = np.cumsum([len(s.completion) for s in sequences])
        self.columns = {name: np.split(t[name], ends[:-1]) for name in ("mask", "weights", "advantages", "old", "reference")}
        self.flags = {"has_old": t["has_old"].astype(bool), "has_reference": t["has_reference"].astype(bool)}

    def of(self, batch: Batch, device: torch.device) -> TokenBatch:
        """In the order of the batch's rows."""

        def joined(parts: list[Array], dtype: Any) -> torch.Tensor:
            return torch.from_numpy(np.concatenate(parts) if parts else np.zeros(0, dtype)).to(device)

        values = {name: joined([column[s.number] for s in batch.members], np.float32) for name, column in self.columns.items()}
        flags = {
            name: joined([np.full(len(s.completion), flag[s.number]) for s in batch.members], np.bool_) for name, flag in self.flags.items()
        }
        return TokenBatch(**values, **flags)


class Batched:
    """Steps put together until it is worth sending them."""

    def __init__(self, emit: Emit) -> None:
        self.emit = emit
        self.held = Step()
        self.since = time.perf_counter()

    def add(self, step: Step) -> None:
        for name, column in vars(step).items():
            getattr(self.held, name).extend(column)
        if time.perf_counter() - self.since > FLUSH_SECONDS:
            self.flush()

    def flush(self) -> None:
        if self.held.id:
            self.emit(self.held)
        self.held = Step()
        self.since = time.perf_counter()


def cut(scores: Scores, batch: Batch) -> list[tuple[int, Array, Array, Array]]:
    """(sequence, log-probabilities, entropies, greedy) of each sequence of a batch."""
    lengths = [len(s.completion) for s in batch.members]
    columns = [t.cpu().split(lengths) for t in (scores.logprobs, scores.entropy, scores.greedy.to(torch.uint8))]
    return [(s.number, *(column[i].numpy() for column in columns)) for i, s in enumerate(batch.members)]  # type: ignore[misc]


def check_temperature(temperature: float) -> None:
    if not 0 < temperature < float("inf"):
        raise VerbError(f"temperature is {temperature}; logits are divided by it, so it must be above 0")
