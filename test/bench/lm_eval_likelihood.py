"""lm-evaluation-harness's half of likelihood.bench.ts: processor seconds of its scoring of (context, continuation) pairs on one thread.

On standard input {"model": folder, "pairs": [[context, continuation], …], "repeats": n}; on standard output {"name", "seconds"}, the least
over repeats and batch sizes. Nothing is fetched.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["OMP_NUM_THREADS"] = "1"

import lm_eval  # noqa: E402
import torch  # noqa: E402
from lm_eval.api.instance import Instance  # noqa: E402
from lm_eval.models.huggingface import HFLM  # noqa: E402


def main() -> None:
    request = json.load(sys.stdin)
    torch.set_num_threads(1)
    best: tuple[float, int] | None = None
    with contextlib.redirect_stdout(sys.stderr):
        for batch_size in (1, 4, 16):
            model = HFLM(pretrained=request["model"], dtype="float32", device="cpu", batch_size=batch_size)
            asked = [
                Instance("loglikelihood", {}, (context, continuation), i) for i, (context, continuation) in enumerate(request["pairs"])
            ]
            for _ in range(request["repeats"]):
                start = time.process_time()
                model.loglikelihood(asked, disable_tqdm=True)
                spent = time.process_time() - start
                best = min(best or (spent, batch_size), (spent, batch_size))
    assert best is not None
    json.dump(
        {"name": f"lm-evaluation-harness {lm_eval.__version__}, torch {torch.__version__}, batch {best[1]}", "seconds": best[0]}, sys.stdout
    )


if __name__ == "__main__":
    main()
