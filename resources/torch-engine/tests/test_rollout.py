"""What generation turns off and on again around itself."""

from __future__ import annotations

import pytest
import torch

from medlogictrace_engine.rollout import any_order


def test_writes_in_any_order_and_trains_in_a_fixed_one() -> None:
    """Catches: a mode that stays off after generation, or after one that failed, so that the same run would train to other weights."""
    torch.use_deterministic_algorithms(True, warn_only=True)
    try:
        with pytest.raises(ValueError, match="failed"), any_order():
            assert not torch.are_deterministic_algorithms_enabled()
            raise ValueError("failed")
        assert torch.are_deterministic_algorithms_enabled()
        assert torch.is_deterministic_algorithms_warn_only_enabled()
    finally:
        torch.use_deterministic_algorithms(False)
    with any_order():
        assert not torch.are_deterministic_algorithms_enabled()
    assert not torch.are_deterministic_algorithms_enabled()
