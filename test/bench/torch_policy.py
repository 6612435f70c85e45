"""Speed of the tiny model's shape in PyTorch on one CPU thread, float32: the counterpart of policy.bench.ts.

Same work: an optimizer step on 64 sequences of 45 + 70 tokens (all of one length, so nothing is padded; log-softmax only where a
completion is predicted) and 70 sampled tokens a row with the key-value cache. Each is measured eager and, where a C++ compiler is
there, under torch.compile; the better one counts. Prints one JSON object.
"""

import argparse
import contextlib
import json
import time
from collections.abc import Callable

import torch
from transformers import Qwen2Config, Qwen2ForCausalLM, StaticCache
from transformers.utils import logging

SEQUENCES, PROMPT, COMPLETION = 64, 45, 70


def model() -> Qwen2ForCausalLM:
    torch.manual_seed(1)
    config = Qwen2Config(
        hidden_size=128,
        num_hidden_layers=4,
        num_attention_heads=4,
        num_key_value_heads=2,
        intermediate_size=512,
        vocab_size=768,
        max_position_embeddings=512,
        rope_theta=10000.0,
        tie_word_embeddings=True,
    )
    return Qwen2ForCausalLM(config).float()


def best(repeats: int, tokens: int, run: Callable[[], object]) -> float:
    """Tokens a second of the fastest of `repeats`, after one warm-up."""
    run()
    rate = 0.0
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        rate = max(rate, tokens / (time.perf_counter() - start))
    return rate


def update_rate(repeats: int, micro_batch: int, compiled: bool) -> float:
    policy = model()
    optimizer = torch.optim.AdamW(policy.parameters(), lr=1e-5, weight_decay=0.0)
    ids = torch.randint(0, 768, (SEQUENCES, PROMPT + COMPLETION))
    advantages = torch.rand(SEQUENCES, 1) - 0.5

    def loss_of(part: torch.Tensor, advantage: torch.Tensor) -> torch.Tensor:
        logits = policy(input_ids=part[:, :-1], use_cache=False, logits_to_keep=COMPLETION).logits
        targets = part[:, PROMPT:]
        logprobs = -torch.nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten(), reduction="none").view_as(targets)
        ratio = torch.exp(logprobs - logprobs.detach())
        return -torch.minimum(ratio * advantage, ratio.clamp(0.8, 1.2) * advantage).sum() / (SEQUENCES * COMPLETION)

    loss_function = torch.compile(loss_of) if compiled else loss_of

    def step() -> None:
        optimizer.zero_grad()
        for i in range(0, SEQUENCES, micro_batch):
            loss_function(ids[i : i + micro_batch], advantages[i : i + micro_batch]).backward()
        torch.nn.utils.clip_grad_norm_(policy.parameters(), 1.0)
        optimizer.step()

    return best(repeats, ids.numel(), step)


@torch.inference_mode()
def generate_rate(batch: int, repeats: int, compiled: bool) -> float:
    policy = model().eval()
    ids = torch.randint(0, 768, (batch, PROMPT))
    forward = torch.compile(policy, dynamic=False) if compiled else policy

    def run() -> None:
        # A plain loop: `generate` adds bookkeeping of its own. The static cache is what compilation needs.
        cache = StaticCache(config=policy.config, max_cache_len=PROMPT + COMPLETION) if compiled else None
        output = policy(input_ids=ids, use_cache=True, past_key_values=cache, logits_to_keep=1)
        for i in range(COMPLETION):
            probabilities = torch.softmax(output.logits[:, -1], -1)
            token = torch.multinomial(probabilities, 1)
            torch.log(probabilities.gather(1, token))
            if i < COMPLETION - 1:
                position = torch.tensor([PROMPT + i])
                output = forward(
                    input_ids=token,
                    use_cache=True,
                    past_key_values=output.past_key_values,
                    cache_position=position,
                    position_ids=position[None].expand(batch, 1),
                )

    return best(repeats, batch * COMPLETION, run)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--no-compile", action="store_true", help="measure eager PyTorch only")
    parser.add_argument("--batches", default="1,16,64,128", help="batch sizes of the generation part")
    options = parser.parse_args()
    torch.set_num_threads(1)
    logging.set_verbosity_error()
    eager: dict[str, float] = {"update": max(update_rate(2, size, False) for size in (8, 16, 32))}
    for batch in options.batches.split(","):
        eager[f"generate_{batch}"] = generate_rate(int(batch), 2, False)
    compiled: dict[str, float] = {}
    failure = None
    if not options.no_compile:
        # No compiler, or a model that it cannot take: eager PyTorch then stands alone, and the reason is printed.
        try:
            with contextlib.redirect_stdout(None):
                compiled["update"] = max(update_rate(2, size, True) for size in (8, 16))
                for batch in options.batches.split(","):
                    compiled[f"generate_{batch}"] = generate_rate(int(batch), 2, True)
        except Exception as error:  # noqa: BLE001
            failure = f"{type(error).__name__}: {str(error).splitlines()[0]}"
    both = {key: round(max(rate, compiled.get(key, 0.0))) for key, rate in eager.items()}
    print(
        json.dumps(
            {
                "backend": f"torch {torch.__version__}, 1 thread",
                "update_tokens_per_second": both.pop("update"),
                "generate_tokens_per_second": {key.removeprefix("generate_"): rate for key, rate in both.items()},
                "eager": {key: round(rate) for key, rate in eager.items()},
                "compiled": {key: round(rate) for key, rate in compiled.items()},
                "compile_failure": failure,
            }
        )
    )


if __name__ == "__main__":
    main()
