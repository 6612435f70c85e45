"""What two gloo ranks compute, as one JSON file, for test_two_ranks.py: torchrun --standalone --nproc-per-node=2 two_ranks.py OUT"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist

from frames import ALONE, RECORDED, engine, furthest, generate_frame, generated, logprob_frame, update_frame, weights_of
from medlogictrace_engine.engine import Engine
from medlogictrace_engine.team import Cancelled, Team, VerbError, join_team

LORA = {"r": 4, "lora_alpha": 8.0, "lora_dropout": 0.0, "target_modules": "all-linear"}
# A larger epsilon would hide a wrong gradient, a smaller one divides rounding by itself.
STEPS = 2


def trained(team: Team, loss_type: str, batch: list[dict[str, Any]] | None = None, **settings: Any) -> tuple[Engine, list[dict[str, Any]]]:
    of = engine(team=team, **settings)
    return of, [of.update(update_frame(loss_type, batch), lambda: None) for _ in range(STEPS)]


def reweighted(loss_type: str) -> list[dict[str, Any]]:
    """The recorded batch under the reductions that the fixture has no weights of (main/runner/loss-weights.ts)."""
    rows = RECORDED["batch"]
    active = [sum(row["mask"]) for row in rows]
    pairs = [sum(active[i - i % 2 : i - i % 2 + 2]) for i in range(len(rows))]
    each = {"dapo": [1 / sum(active)] * len(rows), "bnpo": [1 / (n * len(rows) / 2) if n else 0 for n in pairs]}[loss_type]
    return [{**row, "weights": [m * w for m in row["mask"]]} for row, w in zip(rows, each, strict=True)]


def compare(team: Team, name: str, found: dict[str, Any], loss_type: str, batch: Any = None, **settings: Any) -> Engine:
    """Two ranks against one, after the same steps."""
    two, metrics = trained(team, loss_type, batch, **settings)
    alone = {key: value for key, value in settings.items() if key != "sharding"}
    one, expected = trained(ALONE, loss_type, batch, **alone)
    a, b = weights_of(two), weights_of(one)
    found[name] = {
        "apart": furthest(a, b),
        "moved": furthest(b, weights_of(engine())),
        "metrics": max(abs(x[key] - y[key]) / max(1, abs(y[key])) for x, y in zip(metrics, expected, strict=True) for key in y),
        "rank_seconds": metrics[0].get("rank_seconds"),
    }
    return two


def main() -> None:
    team = join_team()
    torch.set_num_threads(1)
    found: dict[str, Any] = {}
    for loss_type in ("grpo", "dr_grpo"):
        two = compare(team, loss_type, found, loss_type)
    for loss_type in ("dapo", "bnpo"):
        compare(team, loss_type, found, loss_type, reweighted(loss_type))
    compare(team, "lora", found, "dr_grpo", lora=LORA)
    # More ranks than sequences: one has nothing to do.
    compare(team, "one sequence", found, "dr_grpo", reweighted("dapo")[:1])

    rows = RECORDED["sequences"]
    scores = two.logprobs(logprob_frame(rows), lambda: None)
    expected = trained(ALONE, "dr_grpo")[0]
    read = expected.logprobs(logprob_frame(rows), lambda: None)
    if scores is not None and read is not None:
        found["logprobs"] = {name: float(abs(scores[name] - read[name]).max()) for name in ("logprobs", "entropy")}
    sampling = {"temperature": 1.0, "top_p": 0.95, "top_k": 0, "seed": 3}
    prompts = [row["prompt"] for row in RECORDED["greedy"]]
    frame = generate_frame(prompts, n=4, sampling=sampling, stop=[5, 9, 17], batch_size=3)
    mine = team.everyones({str(key): [i for i, _, _ in row] for key, row in generated(two, frame).items()})
    whole = {str(key): [i for i, _, _ in row] for key, row in generated(expected, frame).items()}
    joined = {key: row for part in mine for key, row in part.items()}
    found["generate"] = {"rows": [len(part) for part in mine], "same": joined == whole, "whole": len(whole)}

    before = weights_of(two)

    def check() -> None:
        if team.rank == 1:
            raise Cancelled("asked to")

    try:
        two.update(update_frame("dr_grpo"), check)
        found["cancelled"] = "went through"
    except Cancelled:
        found["cancelled"] = furthest(weights_of(two), before)
    try:
        two.logprobs(logprob_frame(rows, model="reference"), lambda: None)
        found["refused"] = "went through"
    except VerbError as error:
        found["refused"] = str(error)

    folder = Path(sys.argv[1]).parent / "saved"
    try:
        sharded = compare(team, "fsdp", found, "dr_grpo", sharding="fsdp")
        for what in ("weights", "trainer"):
            sharded.save(str(folder), what)
        resumed = engine(team=team, sharding="fsdp")
        for what in ("weights", "trainer"):
            resumed.load(str(folder), what)
        for of in (sharded, resumed):
            of.update(update_frame("dr_grpo"), lambda: None)
        found["fsdp resumed"] = furthest(weights_of(sharded), weights_of(resumed))
        found["fsdp rows"] = sum(team.everyones(len(generated(sharded, frame))))
        sharded.model.freeze_reference()
        frozen = sharded.logprobs(logprob_frame(rows, model="reference"), lambda: None)
        policy = sharded.logprobs(logprob_frame(rows), lambda: None)
        if frozen is not None and policy is not None:
            found["fsdp reference"] = float(abs(frozen["logprobs"] - policy["logprobs"]).max())
    except Exception as error:  # noqa: BLE001 - told to the test, which fails on it
        import traceback

        traceback.print_exc()
        found["fsdp failure"] = f"{type(error).__name__}: {error}"
    if team.rank == 0:
        Path(sys.argv[1]).write_text(json.dumps(found))
    dist.barrier()


if __name__ == "__main__":
    main()
