"""Two ranks do what one does. All of it is computed in one start of torchrun (two_ranks.py): PyTorch is slow to import."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SAME = 1e-5


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    out = tmp_path_factory.mktemp("ranks") / "found.json"
    here = Path(__file__).parent
    loopback = "lo0" if sys.platform == "darwin" else "lo"
    env = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": f"{here.parent}:{here}", "GLOO_SOCKET_IFNAME": loopback}
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    done = subprocess.run([*torchrun, str(here / "two_ranks.py"), str(out)], env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-4000:]
    result: dict[str, Any] = json.loads(out.read_text())
    return result


@pytest.mark.parametrize("name", ["grpo", "dr_grpo", "dapo", "bnpo", "lora", "one sequence", "fsdp"])
def test_the_same_update(found: dict[str, Any], name: str) -> None:
    """Catches: gradients averaged instead of added, a sequence computed twice or by nobody, metrics of one rank only."""
    assert found.get("fsdp failure") is None
    assert found[name]["apart"] < SAME
    assert found[name]["metrics"] < 1e-4
    assert found[name]["moved"] > 1000 * SAME
    assert [len(found[name]["rank_seconds"][part]) for part in ("update", "waiting")] == [2, 2]


def test_the_same_scores_and_samples(found: dict[str, Any]) -> None:
    """Catches: scores put back in another order, samples that depend on the rank, rows written by both or by neither."""
    assert found["logprobs"]["logprobs"] < 1e-4 and found["logprobs"]["entropy"] < 1e-4
    assert found["generate"]["same"]
    assert sum(found["generate"]["rows"]) == found["generate"]["whole"] == 20


def test_stopping_on_one_rank_stops_both(found: dict[str, Any]) -> None:
    """Catches: a rank that steps while the other has given up, after which the two are different models."""
    assert found["cancelled"] == 0
    assert "no reference model" in found["refused"]


def test_sharded_weights_are_saved_and_resumed(found: dict[str, Any]) -> None:
    """Catches: a checkpoint of one rank's part, or moments that are lost on the way."""
    assert found["fsdp resumed"] == 0
    assert found["fsdp rows"] == 20
    assert found["fsdp reference"] == 0
