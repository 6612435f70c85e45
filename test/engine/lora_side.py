"""PEFT's side of lora.test.ts: scores rows with the adapter that was written here, then writes an adapter of its own and scores with that.

usage: lora_side.py MODEL SCRATCH. SCRATCH has `adapter/` and `rows.json`; `theirs/` is written. Prints one JSON object.
"""

import json
import sys
from pathlib import Path

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import AutoModelForCausalLM


def scores(model: torch.nn.Module, rows: list[dict[str, list[int]]]) -> list[float]:
    found: list[float] = []
    for row in rows:
        ids = torch.tensor([row["prompt"] + row["completion"]])
        with torch.inference_mode():
            logs = model(input_ids=ids).logits.float().log_softmax(-1)[0]
        start = len(row["prompt"])
        found += [logs[start - 1 + i, token].item() for i, token in enumerate(row["completion"])]
    return found


def main() -> None:
    folder, scratch = sys.argv[1], Path(sys.argv[2])
    rows = json.loads((scratch / "rows.json").read_text())
    base = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    ours = scores(PeftModel.from_pretrained(base, scratch / "adapter").eval(), rows)
    base = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    config = LoraConfig(r=4, lora_alpha=12, target_modules=["q_proj", "v_proj", "down_proj"], task_type="CAUSAL_LM")
    model = get_peft_model(base, config)
    torch.manual_seed(3)
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.2)
    model.save_pretrained(scratch / "theirs")
    print(json.dumps({"ours": ours, "own": scores(model.eval(), rows)}))


main()
