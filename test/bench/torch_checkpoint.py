"""PyTorch's half of checkpoint.bench.ts: one piece of work on a Hugging Face folder in float32, eager and compiled; the better counts.

On standard input {"model": folder, "work": "forward" | "step" | "generation", "ids": [[…]], "advantages": […], "prompt": tokens,
"completion": tokens, "tokens": what the rate counts, "sizes": rows at once to try, "threads", "repeats", "compile"}; on standard output
{"rate", "proof", "how", "failure"}. The proof is the mean log-probability, or the norm of the first gradient.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

os.environ["HF_HUB_OFFLINE"] = "1"

import torch  # noqa: E402
import transformers  # noqa: E402
from transformers import AutoModelForCausalLM, CompileConfig  # noqa: E402
from transformers.utils import logging  # noqa: E402

# As checkpoint-work.ts has it: one run that does not count, then at least two, and no more once so many seconds are spent.
SECONDS = 10
# Up to so many layers the whole of a model is compiled as one; above, one layer, which all then share: that takes seconds, not minutes.
FEW_LAYERS = 8


def fastest(repeats: int, run: Callable[[], object]) -> float:
    run()
    seconds: list[float] = []
    while len(seconds) < repeats and (len(seconds) < 2 or sum(seconds) < SECONDS):
        start = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def load(request: dict[str, Any]) -> Any:
    return AutoModelForCausalLM.from_pretrained(request["model"], dtype=torch.float32)


def token_logprobs(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    return -torch.nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten(), reduction="none").view_as(targets)


def scorer(request: dict[str, Any], model: Any, compiled: bool) -> Callable[[torch.Tensor], torch.Tensor]:
    """Log-probabilities of the completions of some rows, with logits where one is predicted and nowhere else."""
    whole = compiled and len(model.model.layers) <= FEW_LAYERS
    score = torch.compile(token_logprobs) if compiled and not whole else token_logprobs
    if compiled and not whole:
        for layer in model.model.layers:
            layer.compile()

    def run(ids: torch.Tensor) -> torch.Tensor:
        logits = model(input_ids=ids[:, :-1], use_cache=False, logits_to_keep=request["completion"]).logits
        return score(logits, ids[:, request["prompt"] :])

    return torch.compile(run) if whole else run


def forward(request: dict[str, Any], size: int, compiled: bool) -> tuple[float, float]:
    model = load(request)
    ids = torch.tensor(request["ids"])
    score = scorer(request, model, compiled)
    proof: list[float] = []

    @torch.no_grad()
    def run() -> None:
        proof.append(torch.cat([score(part) for part in ids.split(size)]).mean().item())

    return fastest(request["repeats"], run), proof[0]


def step(request: dict[str, Any], size: int, compiled: bool) -> tuple[float, float]:
    model = load(request)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-5, weight_decay=0.0, fused=True)
    ids, advantages = torch.tensor(request["ids"]), torch.tensor(request["advantages"])[:, None]
    weight = 1 / (len(ids) * request["completion"])
    score = scorer(request, model, compiled)
    proof: list[float] = []

    def run() -> None:
        optimizer.zero_grad()
        for part, advantage in zip(ids.split(size), advantages.split(size), strict=True):
            logprobs = score(part)
            ratio = torch.exp(logprobs - logprobs.detach())
            (-weight * torch.minimum(ratio * advantage, ratio.clamp(0.8, 1.2) * advantage).sum()).backward()
        proof.append(torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0).item())
        optimizer.step()

    return fastest(request["repeats"], run), proof[0]


def generation(request: dict[str, Any], compiled: bool) -> tuple[float, None]:
    model = load(request)
    ids = torch.tensor(request["ids"])
    # No token ends a row.
    model.generation_config.eos_token_id = None
    model.generation_config.pad_token_id = 0
    more: dict[str, Any] = {}
    if compiled:
        config = CompileConfig(fullgraph=False, mode="default")
        # Without it Transformers compiles on accelerators alone.
        config._compile_all_devices = True
        more = {"cache_implementation": "static", "compile_config": config}

    def run() -> None:
        output = model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=request["completion"], do_sample=False, **more)
        assert output.shape == (len(ids), request["prompt"] + request["completion"]), output.shape

    return fastest(request["repeats"], run), None


def main() -> None:
    request = json.load(sys.stdin)
    torch.set_num_threads(request["threads"])
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    # Seconds, proof, and how: the fastest stands first once sorted.
    results: list[tuple[float, float | None, str]] = []
    failure = None
    work = {"forward": forward, "step": step}.get(request["work"])
    with contextlib.redirect_stdout(sys.stderr):
        sizes = [size for size in request["sizes"] if size <= len(request["ids"])] if work else [len(request["ids"])]
        for size in sizes:
            seconds, proof = work(request, size, False) if work else generation(request, False)
            results.append((seconds, proof, f"eager, {size} rows at once"))
        best = min(results, key=lambda result: result[0])
        # No compiler, or a model that it cannot take: eager PyTorch then stands alone, and the reason is told.
        if request["compile"]:
            try:
                size = sizes[results.index(best)]
                seconds, proof = work(request, size, True) if work else generation(request, True)
                results.append((seconds, proof, f"compiled{'' if work else ', static cache'}, {size} rows at once"))
            except Exception as error:  # noqa: BLE001
                failure = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
    seconds, proof, _ = min(results, key=lambda result: result[0])
    tried = "; ".join(f"{how} {request['tokens'] / one:.0f}" for one, _, how in sorted(results, key=lambda result: result[0]))
    name = f"torch {torch.__version__}, transformers {transformers.__version__}"
    json.dump({"rate": request["tokens"] / seconds, "proof": proof, "how": f"{name}: {tried} tokens/s", "failure": failure}, sys.stdout)


if __name__ == "__main__":
    main()
