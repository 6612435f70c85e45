"""Transformers' half of test/engine/transformers.test.ts: a JSON request on standard input, a JSON answer on standard output.

    {"write": folder, "tokenizer": folder, "family": name, ...}   makes a small random model there: untied, bfloat16, in shards,
                                heads wider than hidden / heads, with the tokenizer saved as Transformers saves it
    {"read": folder, ...}       loads what is there

and answers with what it computes in float32 for `rows`, `texts` and `chats` of the request.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import torch
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    LlamaConfig,
    LlamaForCausalLM,
    Qwen2Config,
    Qwen2ForCausalLM,
    Qwen3Config,
    Qwen3ForCausalLM,
)


def random_model(family: str) -> Any:
    # head_dim is not among Qwen2's and Llama's declared fields in every version, but their attention reads it.
    sizes: dict[str, Any] = {
        "vocab_size": 1216,
        "hidden_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "intermediate_size": 112,
        "max_position_embeddings": 512,
        "tie_word_embeddings": False,
        "eos_token_id": 3,
        "initializer_range": 0.2,
        "head_dim": 32,
    }
    plain = {"rope_theta": 5000.0, "rope_type": "default"}
    scaled = {"factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 64}
    if family == "llama":
        return LlamaForCausalLM(LlamaConfig(**sizes, rope_parameters={"rope_theta": 5000.0, "rope_type": "llama3", **scaled}))
    if family == "qwen3":
        return Qwen3ForCausalLM(Qwen3Config(**sizes, rope_parameters=plain))
    return Qwen2ForCausalLM(Qwen2Config(**sizes, rope_parameters=plain))


def write(folder: str, tokenizer_folder: str, family: str) -> None:
    torch.manual_seed(5)
    model = random_model(family)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith(("bias", "norm.weight")):
                parameter.add_(0.3 * torch.randn(parameter.shape))
    torch.nn.Module.to(model, torch.bfloat16)
    model.save_pretrained(folder, max_shard_size="150KB")
    tokenizer: Any = AutoTokenizer.from_pretrained(tokenizer_folder)
    tokenizer.save_pretrained(folder)


def read(folder: str, request: dict[str, Any]) -> dict[str, Any]:
    from_pretrained: Any = AutoModelForCausalLM.from_pretrained
    model, loading = from_pretrained(folder, dtype=torch.float32, output_loading_info=True)
    tokenizer: Any = AutoTokenizer.from_pretrained(folder)
    logprobs = []
    with torch.no_grad():
        for row in request["rows"]:
            ids = torch.tensor([row])
            all_logprobs = torch.log_softmax(model(input_ids=ids).logits[0, :-1], -1)
            logprobs.append(all_logprobs.gather(-1, ids[0, 1:, None])[:, 0].tolist())
    return {
        "model": type(model).__name__,
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "wrong_keys": sorted(map(str, [*loading["missing_keys"], *loading["unexpected_keys"], *loading["mismatched_keys"]])),
        "logprobs": logprobs,
        "texts": [tokenizer(text, add_special_tokens=False)["input_ids"] for text in request["texts"]],
        "chats": [
            tokenizer.apply_chat_template(chat, tokenize=True, add_generation_prompt=True, return_dict=False) for chat in request["chats"]
        ],
        "eos": tokenizer.eos_token_id,
    }


def main() -> None:
    request = json.load(sys.stdin)
    torch.set_num_threads(1)
    folder = request.get("read") or request["write"]
    if "write" in request:
        write(folder, request["tokenizer"], request["family"])
    json.dump(read(folder, request), sys.stdout)


if __name__ == "__main__":
    main()
