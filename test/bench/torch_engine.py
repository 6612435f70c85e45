"""Speed of the PyTorch engine's parts beside what else does the same work, in processor time of one thread, float32, one random model.

    python test/bench/torch_engine.py update | generate | step        (PYTHONPATH=resources/torch-engine)
    torchrun --standalone --nproc-per-node=2 test/bench/torch_engine.py ranks

Both sides take turns in one process, so that whatever else the machine does falls on both; processor time (time.process_time) leaves
waiting for a turn out. Prints one JSON object {name: {ours, theirs, ...}}, tokens a second of processor time, medians over the turns.
`step` needs TRL (bench only: pip install --target FOLDER trl==1.16.0, and FOLDER in PYTHONPATH).
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

import torch
from transformers import Qwen2Config, Qwen2ForCausalLM
from transformers.utils import logging

from medlogictrace_engine import requests
from medlogictrace_engine.engine import Engine
from medlogictrace_engine.rollout import Step
from medlogictrace_engine.team import Team, join_team

SHAPE: dict[str, Any] = {
    "hidden_size": 192,
    "intermediate_size": 768,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "vocab_size": 4096,
    "max_position_embeddings": 1024,
    "tie_word_embeddings": True,
}
VOCABULARY = 4096
TURNS = int(os.environ.get("TURNS", "3"))
# So many of all ids end a row that rows are about 50 tokens long.
STOPS = list(range(0, VOCABULARY, 50))
LONGEST = 128

logging.set_verbosity_error()


def write_model(folder: str) -> None:
    torch.manual_seed(1)
    Qwen2ForCausalLM(Qwen2Config(**SHAPE, eos_token_id=0, pad_token_id=0)).save_pretrained(folder)


def plain_model(folder: str) -> Any:
    return Qwen2ForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="sdpa")


def engine(folder: str, team: Team | None = None) -> Engine:
    return Engine(requests.settings(folder), team or Team(0, 1, torch.device("cpu"), None))


def rates(sides: dict[str, Callable[[], int]], turns: int = TURNS) -> dict[str, float]:
    """Tokens a second of processor time; every side once to warm up, then all in turn."""
    found: dict[str, list[float]] = {name: [] for name in sides}
    for turn in range(turns + 1):
        for name, work in sides.items():
            start = time.process_time()
            tokens = work()
            if turn > 0:
                found[name].append(tokens / (time.process_time() - start))
    return {name: statistics.median(values) for name, values in found.items()}


def pairs_of(lengths: list[tuple[int, int]]) -> list[requests.Pair]:
    generator = torch.Generator().manual_seed(2)
    rows = [torch.randint(1, VOCABULARY, (p + c,), generator=generator).tolist() for p, c in lengths]
    return [(row[:p], row[p:]) for row, (p, _) in zip(rows, lengths, strict=True)]


def plain_update(model: Any, optimizer: torch.optim.Optimizer, pairs: list[requests.Pair], advantages: list[float], size: int) -> None:
    """A loop as one writes it: micro-batches in order, padded on the right, the loss dapo."""
    tokens = sum(len(c) for _, c in pairs)
    optimizer.zero_grad()
    for at in range(0, len(pairs), size):
        rows = pairs[at : at + size]
        longest = max(len(p) + len(c) for p, c in rows)
        ids = torch.tensor([p + c + [0] * (longest - len(p) - len(c)) for p, c in rows])
        mask = torch.tensor([[1] * (len(p) + len(c)) + [0] * (longest - len(p) - len(c)) for p, c in rows])
        counted = torch.tensor([[0.0] * (len(p) - 1) + [1.0] * len(c) + [0.0] * (longest - len(p) - len(c)) for p, c in rows])
        logits = model(input_ids=ids, attention_mask=mask, use_cache=False).logits[:, :-1]
        logprobs = -torch.nn.functional.cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten(), reduction="none").view_as(counted)
        ratio = torch.exp(logprobs - logprobs.detach())
        weight = torch.tensor(advantages[at : at + size])[:, None]
        loss = -(torch.minimum(ratio * weight, ratio.clamp(0.8, 1.2) * weight) * counted).sum() / tokens
        loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()


def update(folder: str) -> dict[str, Any]:
    equal = [(40, 60)] * 16
    mixed = [(20 + 7 * (i % 9), 20 + 37 * (i * 5 % 8) // 2) for i in range(16)]
    found = {}
    for name, lengths in (("equal lengths", equal), ("mixed lengths", mixed)):
        pairs = pairs_of(lengths)
        advantages = [1.0 if i % 2 else -0.5 for i in range(len(pairs))]
        ours = engine(folder)
        theirs = plain_model(folder)
        adam = torch.optim.AdamW(theirs.parameters(), lr=1e-6, weight_decay=0.0)
        tokens = sum(p + c for p, c in lengths)
        frame = requests.update(pairs, advantages)

        def mine(ours: Engine = ours, frame: Any = frame, tokens: int = tokens) -> int:
            ours.update(frame, lambda: None)
            return tokens

        def plain(theirs: Any = theirs, adam: Any = adam, pairs: Any = pairs, advantages: Any = advantages, tokens: int = tokens) -> int:
            plain_update(theirs, adam, pairs, advantages, 8)
            return tokens

        found[f"update, {name}"] = rates({"ours": mine, "theirs": plain})
    return found


def written(policy: Engine, frame: Any) -> int:
    steps: list[Step] = []
    policy.generate(frame, steps.append, lambda: None)
    return sum(len(step.id) for step in steps)


def plain_generate(model: Any, prompts: list[list[int]], batch: int) -> int:
    tokens = 0
    for at in range(0, len(prompts), batch):
        rows = prompts[at : at + batch]
        longest = max(map(len, rows))
        ids = torch.tensor([[0] * (longest - len(row)) + row for row in rows])
        mask = torch.tensor([[0] * (longest - len(row)) + [1] * len(row) for row in rows])
        out = model.generate(
            input_ids=ids, attention_mask=mask, do_sample=True, top_k=0, max_new_tokens=LONGEST, eos_token_id=STOPS, pad_token_id=0
        )
        stops = torch.tensor(STOPS)
        for row in out[:, longest:]:
            ends = torch.isin(row, stops).nonzero()
            tokens += int(ends[0]) + 1 if len(ends) else len(row)
    return tokens


def paged_generate(model: Any, prompts: list[list[int]], batch: int) -> int:
    """Transformers' continuous batching over a paged cache."""
    from transformers import GenerationConfig

    config = GenerationConfig(
        do_sample=True, top_k=0, max_new_tokens=LONGEST, eos_token_id=STOPS, pad_token_id=0, max_batch_tokens=batch * 8, num_blocks=256
    )
    out = model.generate_batch(inputs=prompts, generation_config=config, progress_bar=False)
    return sum(len(each.generated_tokens) for each in out.values())


def generate(folder: str) -> dict[str, Any]:
    prompts = [p for p, _ in pairs_of([(20 + 13 * (i % 8), 0) for i in range(48)])]
    ours, theirs = engine(folder), plain_model(folder)
    theirs.train(False)
    frame = requests.generate(prompts, 1, LONGEST, batch_size=16, stop=STOPS)
    sides: dict[str, Callable[[], int]] = {"ours": lambda: written(ours, frame), "theirs": lambda: plain_generate(theirs, prompts, 16)}
    found = {"generation, batch 16, mixed lengths": rates(sides)}
    try:
        paged = plain_model(folder)
        paged.train(False)
        found["generation, paged generate_batch"] = rates({"ours": sides["ours"], "theirs": lambda: paged_generate(paged, prompts, 16)}, 1)
    except Exception as error:  # noqa: BLE001 - told, not hidden: it may not run on this machine
        found["generation, paged generate_batch"] = {"failure": f"{type(error).__name__}: {str(error).splitlines()[0]}"}  # type: ignore[dict-item]
    return found


def step(folder: str) -> dict[str, Any]:
    """A whole GRPO step, K = 8 on 4 prompts, up to 64 tokens: ours (sampling, one update) against TRL's GRPOTrainer without vLLM."""
    import datasets
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast
    from trl import GRPOConfig, GRPOTrainer

    words = {f"w{i}": i for i in range(VOCABULARY)}
    inner = Tokenizer(models.WordLevel(words, unk_token="w1"))
    inner.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=inner, pad_token="w0", eos_token="w0", unk_token="w1", padding_side="left")
    longest, k, n = 64, 8, 4
    prompts = [p for p, _ in pairs_of([(30 + 10 * i, 0) for i in range(n)])]
    texts = [" ".join(f"w{i}" for i in row) for row in prompts]
    os.environ["WANDB_DISABLED"] = "true"
    seen = {"tokens": 0}

    def reward(completions: list[str], completion_ids: list[list[int]], **_: Any) -> list[float]:
        seen["tokens"] += sum(map(len, completion_ids))
        return [float(ids[0] % 7) for ids in completion_ids]

    out = tempfile.mkdtemp()
    config = GRPOConfig(
        output_dir=out,
        per_device_train_batch_size=k * n,
        num_generations=k,
        max_completion_length=longest,
        max_steps=TURNS + 1,
        learning_rate=1e-6,
        beta=0.0,
        temperature=1.0,
        loss_type="dapo",
        report_to=[],
        use_cpu=True,
        bf16=False,
        gradient_checkpointing=False,
        save_strategy="no",
        logging_strategy="no",
        disable_tqdm=True,
        shuffle_dataset=False,
    )
    # Its fingerprint only names files of a cache that is not used, and hashing it fails with some versions of pyarrow.
    datasets.fingerprint.Hasher.hash = classmethod(lambda cls, value: "0" * 16)
    datasets.fingerprint.Hasher.update = lambda self, value: None
    data = datasets.Dataset.from_dict({"prompt": texts * (TURNS + 2)})
    model = plain_model(folder)
    model.generation_config.eos_token_id = 0
    trainer = GRPOTrainer(model=model, reward_funcs=reward, args=config, train_dataset=data, processing_class=tokenizer)
    marks: list[tuple[float, int]] = []

    from transformers import TrainerCallback

    class Marks(TrainerCallback):  # type: ignore[misc]
        def on_step_end(self, *_: Any, **__: Any) -> None:
            marks.append((time.process_time(), seen["tokens"]))

    trainer.add_callback(Marks())
    trainer.train()
    theirs = statistics.median((b[1] - a[1] + k * sum(map(len, prompts))) / (b[0] - a[0]) for a, b in zip(marks, marks[1:], strict=False))

    policy = engine(folder)
    frame = requests.generate(prompts, k, longest, stop=[0])

    def mine() -> int:
        steps: list[Step] = []
        policy.generate(frame, steps.append, lambda: None)
        rows: dict[tuple[int, int], list[int]] = {}
        for part in steps:
            for p, s, i in zip(part.prompt, part.sample, part.id, strict=True):
                rows.setdefault((p, s), []).append(i)
        batch = [(prompts[p], row) for (p, _), row in sorted(rows.items())]
        policy.update(requests.update(batch, [float(i % 7) - 3 for i in range(len(batch))]), lambda: None)
        return sum(len(p) + len(c) for p, c in batch)

    return {"GRPO step, K 8 on 4 prompts": {"ours": rates({"ours": mine})["ours"], "theirs": theirs}}


def ranks(folder: str) -> dict[str, Any]:
    """The same update on two ranks and on one, by the clock: it needs two free cores to mean anything."""
    team = join_team()
    torch.set_num_threads(1)
    pairs = pairs_of([(40, 20 + 37 * (i * 5 % 8)) for i in range(32)])
    frame = requests.update(pairs, [1.0 if i % 2 else -0.5 for i in range(len(pairs))])
    two = engine(folder, team)
    alone = engine(folder) if team.rank == 0 else None
    walls: dict[str, list[float]] = {"two": [], "one": []}
    busy: list[float] = []
    for turn in range(TURNS + 1):
        team.any(False)
        start, cpu = time.perf_counter(), time.process_time()
        two.update(frame, lambda: None)
        spent = team.everyones(time.process_time() - cpu)
        wall = time.perf_counter() - start
        team.any(False)
        start, cpu = time.perf_counter(), time.process_time()
        if alone is not None:
            alone.update(frame, lambda: None)
        if turn > 0:
            walls["two"].append(wall)
            walls["one"].append(time.perf_counter() - start)
            busy.append((time.process_time() - cpu) / max(spent))
        team.any(False)
    tokens = sum(len(p) + len(c) for p, c in pairs)
    clock = {"ours": tokens / statistics.median(walls["two"]), "theirs": tokens / statistics.median(walls["one"])}
    return {
        "two ranks, by the clock": clock,
        "two ranks, by processor time of the busier": {"ours": statistics.median(busy), "theirs": 1.0},
    }


def main() -> None:
    torch.set_num_threads(1)
    work = {"update": update, "generate": generate, "step": step, "ranks": ranks}[sys.argv[1]]
    with tempfile.TemporaryDirectory() as folder:
        write_model(folder)
        found = work(folder)
    if os.environ.get("RANK", "0") == "0":
        print(json.dumps(found))


if __name__ == "__main__":
    main()
