"""Transformers' half of the tests with SmolLM2-135M-Instruct: a JSON request on standard input, a JSON answer on standard output.

    {"model": folder, "rows": [[id, …], …], "top": n, "prompts": [[id, …], …], "tokens": n}

answers {"logprobs": for each row those of its tokens 1 …, "top": for each row the n likeliest next tokens as [id, log-probability],
"greedy": for each prompt its greedy continuation of n tokens, "leads": by how much, in log-probability, each of those leads the second
best}, all in float32 on the CPU.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import torch
from transformers import AutoModelForCausalLM


def greedy(model: Any, prompt: list[int], tokens: int) -> tuple[list[int], list[float]]:
    """Arg-max tokens with a cache; ends of text do not stop it."""
    out = model(input_ids=torch.tensor([prompt]), use_cache=True)
    ids: list[int] = []
    leads: list[float] = []
    for _ in range(tokens):
        best = out.logits[0, -1].topk(2)
        ids.append(int(best.indices[0]))
        leads.append(float(best.values[0] - best.values[1]))
        out = model(input_ids=torch.tensor([[ids[-1]]]), past_key_values=out.past_key_values, use_cache=True)
    return ids, leads


def main() -> None:
    torch.set_num_threads(1)
    request = json.load(sys.stdin)
    from_pretrained: Any = AutoModelForCausalLM.from_pretrained
    model = from_pretrained(request["model"], dtype=torch.float32)
    logprobs, top = [], []
    with torch.no_grad():
        for row in request["rows"]:
            ids = torch.tensor(row)
            scores = torch.log_softmax(model(input_ids=ids[None]).logits[0], -1)
            logprobs.append(scores[:-1].gather(-1, ids[1:, None])[:, 0].tolist())
            best = scores[-1].topk(request["top"])
            top.append(list(zip(best.indices.tolist(), best.values.tolist(), strict=True)))
        continued = [greedy(model, prompt, request["tokens"]) for prompt in request["prompts"]]
    json.dump(
        {"logprobs": logprobs, "top": top, "greedy": [ids for ids, _ in continued], "leads": [leads for _, leads in continued]}, sys.stdout
    )


if __name__ == "__main__":
    main()
