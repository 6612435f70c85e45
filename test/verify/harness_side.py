"""lm-evaluation-harness 0.4.13's half of test/verify/harness.test.ts: its own tasks, prompts and scoring on rows that we give it.

A JSON request on standard input, {"model": folder, "tasks": {"medmcqa": [row, …], "pubmedqa": [row, …], "medqa_4options": [row, …]}},
rows as the task's data set on the Hugging Face Hub has them; on standard output {task: [{"prompt", "continuations", "logprobs"}, …]} in
the order of the rows. Nothing is fetched.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from pathlib import Path
from typing import Any

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_DATASETS_OFFLINE"] = "1"
os.environ["OMP_NUM_THREADS"] = "1"

import datasets  # noqa: E402
import lm_eval  # noqa: E402
from lm_eval.api.task import ConfigurableTask  # noqa: E402
from lm_eval.models.huggingface import HFLM  # noqa: E402
from lm_eval.tasks._yaml_loader import load_yaml  # noqa: E402

FILES = {"medmcqa": "medmcqa/medmcqa.yaml", "pubmedqa": "pubmedqa/pubmedqa.yaml", "medqa_4options": "medqa/medqa.yaml"}


def task_on(name: str, rows: list[dict[str, Any]]) -> Any:
    """The harness's task, its prompts and scoring untouched, on rows instead of a download."""
    config = load_yaml(Path(lm_eval.__file__).parent / "tasks" / FILES[name], resolve_func=True)
    for key in ("dataset_path", "dataset_name", "training_split", "validation_split"):
        config.pop(key, None)
    data = datasets.Dataset.from_list(rows)
    return ConfigurableTask(config={**config, "test_split": "test", "custom_dataset": lambda **_: datasets.DatasetDict({"test": data})})


def main() -> None:
    request = json.load(sys.stdin)
    with contextlib.redirect_stdout(sys.stderr):
        if lm_eval.__version__ != "0.4.13":
            sys.exit(f"lm-evaluation-harness {lm_eval.__version__} is installed, not 0.4.13")
        model = HFLM(pretrained=request["model"], dtype="float32", device="cpu", batch_size=4)
        answer: dict[str, list[dict[str, Any]]] = {}
        for name, rows in request["tasks"].items():
            results: Any = lm_eval.simple_evaluate(model=model, tasks=[task_on(name, rows)], num_fewshot=0, bootstrap_iters=0)
            [samples] = results["samples"].values()
            answer[name] = []
            for sample in sorted(samples, key=lambda one: one["doc_id"]):
                arguments = sample["arguments"]
                pairs = [tuple(one) for one in (arguments.values() if isinstance(arguments, dict) else arguments)]
                prompts = {context for context, _ in pairs}
                answer[name].append(
                    {
                        "prompt": prompts.pop(),
                        "continuations": [continuation for _, continuation in pairs],
                        "logprobs": [float(response[0][0]) for response in sample["resps"]],
                    }
                )
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
