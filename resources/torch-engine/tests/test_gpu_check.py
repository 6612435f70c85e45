"""The check that is run on a GPU works: here in its tiny form, on whatever device there is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path


def test_tiny() -> None:
    """Catches: a check that breaks on the node where it is needed, or that calls anything right."""
    env = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
    done = subprocess.run([sys.executable, "-m", "medlogictrace_engine.gpu_check", "--tiny"], env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr[-3000:]
    result = json.loads(done.stdout)
    assert len(result["conformance"]) == 6
    assert all(check["ok"] == (check["apart"] <= check["tolerance"]) for check in result["conformance"].values())
    assert result["update"]["tokens_per_second"] > 0 and 0 < result["update"]["share_of_peak"] < 1
    assert 0 < result["generation"]["share_of_limit"] < 1
    assert result["whole_step"]["seconds"] > 0
