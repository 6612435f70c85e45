"""`python -m medlogictrace_engine.gpu_check [--tiny] [--out FILE]`: does the engine compute right on this GPU, and how fast?

No Node, no network, no files but a temporary folder: it makes its own random checkpoints, a small one that the CPU checks the GPU on, and
one of the shape of Qwen2.5-0.5B for speed. One JSON object, in under 8 minutes. `--tiny` shrinks all of it, for a test on a processor.
Exit code 1 where something is computed wrongly.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .requirements import require

require()

import torch  # noqa: E402

from . import VERSION, requests  # noqa: E402
from .engine import Engine  # noqa: E402
from .rollout import Step  # noqa: E402
from .team import Team, choose_device  # noqa: E402

SPECIFIED = {
    # name in the device's: dense bfloat16 FLOP/s, bytes/s; NVIDIA's data sheets
    "A40": (149.7e12, 696e9),
    "A100": (312e12, 1555e9),
    "H100 PCIe": (756e12, 2000e9),
    "H100": (989e12, 3350e9),
    "H200": (989e12, 4800e9),
    "L40S": (362e12, 864e9),
    "RTX A6000": (155e12, 768e9),
    "L4": (121e12, 300e9),
}


@dataclass(frozen=True)
class Size:
    model: dict[str, Any]
    sequence: int
    sequences: int
    rows: int
    prompt: int
    written: int
    repeats: int


QWEN_05B = {
    "hidden_size": 896,
    "intermediate_size": 4864,
    "num_hidden_layers": 24,
    "num_attention_heads": 14,
    "num_key_value_heads": 2,
    "vocab_size": 151936,
    "max_position_embeddings": 4096,
    "tie_word_embeddings": True,
}
SMALL = {
    "hidden_size": 96,
    "intermediate_size": 192,
    "num_hidden_layers": 3,
    "num_attention_heads": 6,
    "num_key_value_heads": 2,
    "vocab_size": 700,
    "max_position_embeddings": 256,
    "tie_word_embeddings": True,
}
FULL = Size(QWEN_05B, sequence=1024, sequences=64, rows=256, prompt=128, written=256, repeats=3)
TINY = Size(SMALL, sequence=48, sequences=4, rows=8, prompt=8, written=12, repeats=1)


def write_model(folder: Path, shape: dict[str, Any]) -> None:
    from transformers import Qwen2Config, Qwen2ForCausalLM

    torch.manual_seed(3)
    config: Any = Qwen2Config(**shape, rope_parameters={"rope_theta": 10000.0, "rope_type": "default"}, eos_token_id=0)
    model: Any = Qwen2ForCausalLM(config)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith("bias"):
                parameter.normal_(0, 0.3)
    model.save_pretrained(folder)


def random_pairs(count: int, prompt: int, completion: int, vocabulary: int) -> list[requests.Pair]:
    generator = torch.Generator().manual_seed(7)
    ids = torch.randint(1, vocabulary, (count, prompt + completion), generator=generator).tolist()
    return [(row[:prompt], row[prompt:]) for row in ids]


def engine(folder: Path, device: torch.device, **changes: Any) -> Engine:
    return Engine(requests.settings(str(folder), **changes), Team(0, 1, device, None))


def written(of: Engine, frame: Any) -> list[Step]:
    steps: list[Step] = []
    of.generate(frame, steps.append, lambda: None)
    return steps


def rows_of(steps: list[Step]) -> dict[tuple[int, int], list[tuple[int, float]]]:
    rows: dict[tuple[int, int], list[tuple[int, float]]] = {}
    for step in steps:
        for p, s, i, chance in zip(step.prompt, step.sample, step.id, step.logprob, strict=True):
            rows.setdefault((p, s), []).append((i, chance))
    return rows


def conformance(folder: Path, device: torch.device) -> dict[str, dict[str, Any]]:
    """The device against the processor, on a small model in float32: how far apart each comparison is, and whether that is near enough."""
    vocabulary = SMALL["vocab_size"]
    pairs = random_pairs(6, 9, 40, vocabulary) + random_pairs(3, 30, 11, vocabulary)
    ours, exact = engine(folder, device), engine(folder, torch.device("cpu"))
    found: dict[str, dict[str, Any]] = {}

    def compare(name: str, apart: float, tolerance: float) -> None:
        found[name] = {"apart": apart, "tolerance": tolerance, "ok": apart <= tolerance}

    def scores(of: Engine) -> torch.Tensor:
        result = of.logprobs(requests.score(pairs), lambda: None)
        assert result is not None
        return torch.from_numpy(result["logprobs"].copy())

    compare("log-probabilities", float((scores(ours) - scores(exact)).abs().max()), 1e-3)
    prompts = [prompt for prompt, _ in pairs]
    greedy = requests.generate(prompts, 1, 24, temperature=0.0)
    a, b = (rows_of(written(of, greedy)) for of in (ours, exact))
    differing = sum([i for i, _ in a[key]] != [i for i, _ in b[key]] for key in b)
    # A random model has choices that hang on rounding.
    compare("rows of greedy tokens that differ", differing, 1)
    rows = rows_of(written(ours, requests.generate(prompts, 2, 30)))
    read = ours.logprobs(requests.score([(prompts[p], [i for i, _ in row]) for (p, _), row in rows.items()]), lambda: None)
    assert read is not None
    said = torch.tensor([chance for row in rows.values() for _, chance in row])
    compare("log-probabilities of written tokens", float((said - torch.from_numpy(read["logprobs"].copy())).abs().max()), 1e-3)
    advantages = [1.0, -0.7, 0.4] * 3
    for of in (ours, exact):
        for size in (None, 2):
            of.update(requests.update(pairs, advantages, learning_rate=1e-3, micro_batch_size=size), lambda: None)
    weights = [{name: t.cpu() for name, t in of.model.weights()} for of in (ours, exact)]
    # AdamW's first steps are as large for a gradient of rounding as for any other: a mean, not a maximum.
    apart = [(weights[0][name] - t).abs().mean() for name, t in weights[1].items()]
    compare("weights after two steps (mean)", float(torch.stack(apart).max()), 1e-5)
    with tempfile.TemporaryDirectory() as saved:
        for what in ("weights", "trainer"):
            ours.save(saved, what)
        resumed = engine(folder, device)
        for what in ("weights", "trainer"):
            resumed.load(saved, what)
    for of in (ours, resumed):
        of.update(requests.update(pairs, advantages, learning_rate=1e-3), lambda: None)
    apart = [(p - q).abs().max() for (_, p), (_, q) in zip(ours.model.weights(), resumed.model.weights(), strict=True)]
    compare("weights of a resumed run", float(torch.stack(apart).max()), 0.0)
    half = engine(folder, device, dtype="bfloat16")
    full = engine(folder, device)
    compare("log-probabilities in bfloat16 (mean)", float((scores(half) - scores(full)).abs().mean()), 0.05)
    return found


def timed(device: torch.device, repeats: int, work: Callable[[], object]) -> float:
    """Seconds of the fastest, after one that warms up."""
    best = float("inf")
    for turn in range(repeats + 1):
        start = time.perf_counter()
        work()
        if device.type == "cuda":
            torch.cuda.synchronize()
        if turn > 0:
            best = min(best, time.perf_counter() - start)
    return best


def measured_limits(device: torch.device, tiny: bool) -> dict[str, float]:
    """What a large product and a large copy reach here."""
    side = 256 if tiny else 8192
    a = torch.randn(side, side, device=device, dtype=torch.bfloat16)
    flops = 2 * side**3 / timed(device, 3, lambda: a @ a)
    block = torch.empty((1 << 20) if tiny else (1 << 30), dtype=torch.uint8, device=device)
    other = torch.empty_like(block)
    bandwidth = 2 * block.numel() / timed(device, 3, lambda: other.copy_(block))
    return {"flops": flops, "bandwidth": bandwidth}


def speed(folder: Path, device: torch.device, size: Size, tiny: bool) -> dict[str, Any]:
    m = size.model
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"
    measured = measured_limits(device, tiny)
    known = next((limits for key, limits in SPECIFIED.items() if key in name), None)
    peak, bandwidth = known or (measured["flops"], measured["bandwidth"])
    policy = engine(folder, device, dtype="bfloat16", gradient_checkpointing=False)

    pairs = random_pairs(size.sequences, size.prompt, size.sequence - size.prompt, m["vocab_size"])
    advantages = [1.0 if i % 2 else -1.0 for i in range(len(pairs))]
    frame = requests.update(pairs, advantages)
    seconds = timed(device, size.repeats, lambda: policy.update(frame, lambda: None))
    tokens = size.sequence * size.sequences
    heads = m["hidden_size"]
    # 6 operations a weight and token (Kaplan et al., arXiv 2001.08361), the output layer only where it predicts; attention is causal.
    predicting = (size.sequence - size.prompt) / size.sequence
    products = policy.model.parameters - m["vocab_size"] * m["hidden_size"] * (1 - predicting)
    each = 6 * products + 6 * m["num_hidden_layers"] * size.sequence * heads
    update = {"tokens_per_second": tokens / seconds, "flops": each * tokens / seconds, "share_of_peak": each * tokens / seconds / peak}

    prompts = [prompt for prompt, _ in random_pairs(size.rows, size.prompt, 0, m["vocab_size"])]
    writing = requests.generate(prompts, 1, size.written, batch_size=size.rows)
    seconds = timed(device, size.repeats, lambda: written(policy, writing))
    width = m["hidden_size"] // m["num_attention_heads"]
    row_bytes = 2 * 2 * m["num_hidden_layers"] * m["num_key_value_heads"] * width * (size.prompt + size.written / 2)
    limit = size.rows * bandwidth / (2 * policy.model.parameters + size.rows * row_bytes)
    rate = size.rows * size.written / seconds
    generation = {"rows": size.rows, "tokens_per_second": rate, "bandwidth_limit": limit, "share_of_limit": rate / limit}

    def whole_step() -> None:
        rows = rows_of(written(policy, writing))
        batch = [(prompts[p], [i for i, _ in row]) for (p, _), row in sorted(rows.items())]
        policy.update(requests.update(batch, [1.0 if i % 2 else -1.0 for i in range(len(batch))]), lambda: None)

    seconds = timed(device, 1, whole_step)
    step = {"seconds": seconds, "tokens_per_second": size.rows * (size.prompt + size.written) / seconds}
    return {
        "peak": {"flops": peak, "bandwidth": bandwidth, "from": "data sheet" if known else "measured", "measured": measured},
        "update": update,
        "generation": generation,
        "whole_step": step,
        "memory": policy.memory(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="medlogictrace_engine.gpu_check", description=__doc__)
    parser.add_argument("--tiny", action="store_true", help="a small model on whatever is there, to see that the check itself works")
    parser.add_argument("--out", type=Path, help="writes the JSON there too")
    options = parser.parse_args()
    started = time.perf_counter()
    device = choose_device(0, 1)
    if device.type == "cpu" and not options.tiny:
        print("there is no GPU that PyTorch can use here; --tiny runs the check on the processor", file=sys.stderr)
        sys.exit(2)
    size = TINY if options.tiny else FULL
    # float32 means float32: a conformance check in TF32 would say nothing.
    torch.backends.cuda.matmul.allow_tf32 = False
    with tempfile.TemporaryDirectory() as work:
        small, large = Path(work, "small"), Path(work, "large")
        write_model(small, SMALL)
        checks = conformance(small, device)
        write_model(large, size.model)
        measured = speed(large, device, size, options.tiny)
    result = {
        "engine": VERSION,
        "torch": torch.__version__,
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else device.type,
        "tiny": options.tiny,
        "conformance": checks,
        "ok": all(check["ok"] for check in checks.values()),
        **measured,
        "seconds": time.perf_counter() - started,
    }
    text = json.dumps(result, indent=2)
    if options.out:
        options.out.write_text(text + "\n")
    print(text)
    sys.exit(0 if result["ok"] else 1)


if __name__ == "__main__":
    main()
