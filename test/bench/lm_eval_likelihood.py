"""lm-evaluation-harness's half of likelihood.bench.ts: seconds of its scoring of (context, continuation) pairs.

On standard input {"model": folder, "pairs": [[context, continuation], …], "repeats": n, "batches": [sizes], "threads": n}; on standard
output {"name", "processor", "clock"}: the least seconds of processor time over repeats and batch sizes, and the least by the clock. Nothing
is fetched.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time

os.environ["HF_HUB_OFFLINE"] = "1"

import lm_eval  # noqa: E402
import torch  # noqa: E402
from lm_eval.api.instance import Instance  # noqa: E402
from lm_eval.models.huggingface import HFLM  # noqa: E402


def main() -> None:
    request = json.load(sys.stdin)
    torch.set_num_threads(request["threads"])
    processor: list[tuple[float, int]] = []
    clock: list[tuple[float, int]] = []
    with contextlib.redirect_stdout(sys.stderr):
        for batch_size in request["batches"]:
            model = HFLM(pretrained=request["model"], dtype="float32", device="cpu", batch_size=batch_size)
            asked = [
                Instance("loglikelihood", {}, (context, continuation), i) for i, (context, continuation) in enumerate(request["pairs"])
            ]
            for _ in range(request["repeats"]):
                began, start = time.perf_counter(), time.process_time()
                model.loglikelihood(asked, disable_tqdm=True)
                processor.append((time.process_time() - start, batch_size))
                clock.append((time.perf_counter() - began, batch_size))
    best, fastest = min(processor), min(clock)
    name = f"lm-evaluation-harness {lm_eval.__version__}, torch {torch.__version__}, batch {best[1]} ({fastest[1]} by the clock)"
    json.dump({"name": name, "processor": best[0], "clock": fastest[0]}, sys.stdout)


if __name__ == "__main__":
    main()
