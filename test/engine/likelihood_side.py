"""Transformers' half of test/engine/likelihood.test.ts: log-likelihoods of continuations as lm-evaluation-harness computes them.

A JSON request on standard input, {"model": folder, "pairs": [[context, continuation], …]}; on standard output a list of
{"ids": token ids of the continuation, "logprob": their summed log-likelihood, "greedy": whether each is the arg-max}.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer


def encode_pair(tokenizer: Any, context: str, continuation: str) -> tuple[list[int], list[int]]:
    """Both encoded together and cut where the context alone ends; spaces at its end belong to the continuation."""
    spaces = len(context) - len(context.rstrip())
    if spaces > 0:
        context, continuation = context[:-spaces], context[-spaces:] + continuation
    whole: list[int] = tokenizer.encode(context + continuation)
    length = len(tokenizer.encode(context))
    return whole[:length], whole[length:]


def main() -> None:
    request = json.load(sys.stdin)
    torch.set_num_threads(1)
    from_pretrained: Any = AutoModelForCausalLM.from_pretrained
    model = from_pretrained(request["model"], dtype=torch.float32)
    tokenizer: Any = AutoTokenizer.from_pretrained(request["model"])
    answers = []
    with torch.no_grad():
        for context, continuation in request["pairs"]:
            before, after = encode_pair(tokenizer, context, continuation)
            logits = model(input_ids=torch.tensor([(before + after)[:-1]])).logits[0]
            logprobs = torch.log_softmax(logits, -1)[-len(after) :]
            target = torch.tensor(after)
            answers.append(
                {
                    "ids": after,
                    "logprob": logprobs.gather(-1, target[:, None]).sum().item(),
                    "greedy": bool((logprobs.argmax(-1) == target).all()),
                }
            )
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main()
