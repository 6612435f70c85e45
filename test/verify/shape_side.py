"""Transformers' half of test/verify/qwen-shape.test.ts: a random model of Qwen2.5-0.5B's exact shape.

    python shape_side.py write FOLDER          makes it (bfloat16, as the real one is kept)
    python shape_side.py read FOLDER           loads a folder in float32

Both print {"parameters", "wrong_keys", "logprobs"} for the rows of token ids on standard input, computed in float32.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import torch
from transformers import AutoModelForCausalLM, Qwen2Config, Qwen2ForCausalLM


def write(folder: str) -> None:
    torch.manual_seed(3)
    config = Qwen2Config(
        vocab_size=151936,
        hidden_size=896,
        intermediate_size=4864,
        num_hidden_layers=24,
        num_attention_heads=14,
        num_key_value_heads=2,
        max_position_embeddings=32768,
        rope_parameters={"rope_theta": 1000000.0, "rope_type": "default"},
        tie_word_embeddings=True,
        eos_token_id=151645,
    )
    torch.set_default_dtype(torch.bfloat16)
    model = Qwen2ForCausalLM(config)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith("bias"):
                parameter.add_(0.3 * torch.randn(parameter.shape))
    model.save_pretrained(folder)
    torch.set_default_dtype(torch.float32)


def main() -> None:
    torch.set_num_threads(1)
    verb, folder = sys.argv[1], sys.argv[2]
    rows: list[list[int]] = json.load(sys.stdin)
    if verb == "write":
        write(folder)
    from_pretrained: Any = AutoModelForCausalLM.from_pretrained
    model, loading = from_pretrained(folder, dtype=torch.float32, output_loading_info=True)
    logprobs = []
    with torch.no_grad():
        for row in rows:
            ids = torch.tensor([row])
            scores = torch.log_softmax(model(input_ids=ids).logits[0, :-1], -1)
            logprobs.append(scores.gather(-1, ids[0, 1:, None])[:, 0].tolist())
    wrong = sorted(map(str, [*loading["missing_keys"], *loading["unexpected_keys"], *loading["mismatched_keys"]]))
    parameters = sum(parameter.numel() for parameter in model.parameters())
    json.dump({"parameters": parameters, "wrong_keys": wrong, "logprobs": logprobs}, sys.stdout)


if __name__ == "__main__":
    main()
