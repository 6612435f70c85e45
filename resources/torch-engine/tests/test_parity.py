"""The engine against what plain PyTorch and Transformers computed (test/fixtures/make_parity.py)."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from frames import (
    FIXTURES,
    RECORDED,
    TOLERANCE,
    engine,
    furthest,
    generate_frame,
    generated,
    logprob_frame,
    recorded_tensors,
    update_frame,
    weights_of,
)
from medlogictrace_engine.team import Cancelled, VerbError


@pytest.mark.parametrize("temperature", [1.0, 0.7])
def test_logprobs_and_entropies(temperature: float) -> None:
    """Catches: padding that is seen, rows shifted by one, a temperature left out, sequences put back in another order."""
    rows = RECORDED["sequences"]
    found = engine().logprobs(logprob_frame(rows, temperature), lambda: None)
    assert found is not None
    for name in ("logprobs", "entropy"):
        expected = np.concatenate([row[name][str(temperature)] for row in rows])
        assert np.abs(found[name] - expected).max() < TOLERANCE


@pytest.mark.parametrize("batch_size", [1, 3, None])
def test_greedy_token_for_token(batch_size: int | None) -> None:
    """Catches: a slot moved wrongly when a row ends, a position off by one, a cache read beyond its row."""
    prompts = [row["prompt"] for row in RECORDED["greedy"]]
    rows = generated(engine(), generate_frame(prompts, batch_size=batch_size))
    assert [[i for i, _, _ in rows[p, 0]] for p in range(len(prompts))] == [row["completion"] for row in RECORDED["greedy"]]
    assert all(row[-1][2] == 2 and all(finish == 0 for _, _, finish in row[:-1]) for row in rows.values())


def test_written_tokens_have_the_logprobs_of_reading_them() -> None:
    """Catches: a decode step that computes another model than the forward pass, at any position or number of rows."""
    prompts = [row["prompt"] for row in RECORDED["greedy"]]
    policy = engine()
    sampling = {"temperature": 0.8, "top_p": 0.9, "top_k": 50, "seed": 3}
    rows = generated(policy, generate_frame(prompts, n=3, sampling=sampling, batch_size=4, stop=[5, 9, 17, 23, 42]))
    assert len({len(row) for row in rows.values()}) > 3, "rows should end at different lengths"
    keys = sorted(rows)
    written = [{"prompt": prompts[p], "completion": [i for i, _, _ in rows[p, s]]} for p, s in keys]
    read = policy.logprobs(logprob_frame(written, 0.8), lambda: None)
    assert read is not None
    assert np.abs(read["logprobs"] - [chance for key in keys for _, chance, _ in rows[key]]).max() < TOLERANCE


@pytest.mark.parametrize(("loss_type", "size"), [("grpo", None), ("dr_grpo", None), ("dr_grpo", 4), ("grpo", 1)])
def test_gradient(loss_type: str, size: int | None) -> None:
    """Catches: a wrong derivative of any part, and micro-batches that do not add up to the batch."""
    plain = {"learning_rate": 1e9, "adam_beta1": 0.9, "adam_beta2": 0.99, "adam_epsilon": 1e6, "weight_decay": 0, "max_grad_norm": 0}
    policy = engine()
    before = weights_of(policy)
    metrics = policy.update(update_frame(loss_type, optimizer=plain, micro_batch_size=size), lambda: None)
    after = weights_of(policy)
    for name, expected in recorded_tensors(f"gradients-{loss_type}.safetensors").items():
        moved = (before[name] - after[name]) / 1000
        assert (moved - expected).norm() < 1e-3 * expected.norm(), name
    for name, value in RECORDED["training"][loss_type]["metrics"].items():
        assert metrics[name] == pytest.approx(value, rel=1e-3, abs=1e-4), name


@pytest.mark.parametrize("checkpointing", [False, True])
def test_three_steps_end_at_the_same_weights(checkpointing: bool) -> None:
    """Catches: bias correction, decay, epsilon or clipping done otherwise than torch.optim.AdamW and clip_grad_norm_ do them."""
    policy = engine(gradient_checkpointing=checkpointing)
    for report in RECORDED["steps"]["reports"]:
        metrics = policy.update(update_frame("dr_grpo"), lambda: None)
        for name, value in report.items():
            assert metrics[name] == pytest.approx(value, rel=1e-3, abs=1e-4), name
    assert furthest(weights_of(policy), recorded_tensors("weights-after-3-steps.safetensors")) < TOLERANCE


def test_a_cancelled_update_changes_nothing() -> None:
    """Catches: gradients of a broken-off step that stay and are added to the next."""
    policy = engine()
    before = weights_of(policy)
    turns = iter(range(100))

    def check() -> None:
        if next(turns) == 1:
            raise Cancelled("asked to")

    with pytest.raises(Cancelled):
        policy.update(update_frame("dr_grpo", micro_batch_size=2), check)
    assert furthest(weights_of(policy), before) == 0
    for _ in range(3):
        policy.update(update_frame("dr_grpo"), lambda: None)
    assert furthest(weights_of(policy), recorded_tensors("weights-after-3-steps.safetensors")) < TOLERANCE


def test_a_gradient_that_is_not_finite_changes_nothing() -> None:
    """Catches: a step taken on nan, after which every answer is noise."""
    policy = engine()
    before = weights_of(policy)
    rows = [{**row, "weights": [float("inf")] * len(row["completion"])} for row in RECORDED["batch"]]
    with pytest.raises(VerbError, match="gradient norm is .* at optimizer step 1; the weights are unchanged"):
        policy.update(update_frame("grpo", rows), lambda: None)
    assert furthest(weights_of(policy), before) == 0


def test_reference_stays_where_it_was_frozen() -> None:
    """Catches: a reference that moves with the policy."""
    policy = engine()
    rows = RECORDED["sequences"]
    with pytest.raises(VerbError, match="no reference model"):
        policy.logprobs(logprob_frame(rows, model="reference"), lambda: None)
    policy.model.freeze_reference()
    policy.update(update_frame("dr_grpo"), lambda: None)
    frozen, moved = (policy.logprobs(logprob_frame(rows, model=which), lambda: None) for which in ("reference", "policy"))
    assert frozen is not None and moved is not None
    expected = np.concatenate([row["logprobs"]["1.0"] for row in rows])
    assert np.abs(frozen["logprobs"] - expected).max() < TOLERANCE
    assert np.abs(moved["logprobs"] - expected).max() > 100 * TOLERANCE


def test_bfloat16_is_near(tmp_path: object) -> None:
    """Catches: bfloat16 that reaches the weights that are trained, or a model that is another one in it."""
    policy = engine(dtype="bfloat16")
    rows = RECORDED["sequences"]
    found = policy.logprobs(logprob_frame(rows), lambda: None)
    assert found is not None
    expected = np.concatenate([row["logprobs"]["1.0"] for row in rows])
    assert np.abs(found["logprobs"] - expected).mean() < 0.1
    policy.update(update_frame("dr_grpo"), lambda: None)
    assert all(p.dtype == torch.float32 for _, p in policy.model.trained())
    prompts = [row["prompt"] for row in RECORDED["greedy"]]
    assert len(generated(policy, generate_frame(prompts))) == len(prompts)


@pytest.mark.parametrize("family", ["parity-qwen3", "parity-llama"])
def test_other_families(family: str) -> None:
    """Catches: a part that only another architecture has (norms of heads, other rotations) left out of decoding or of the update."""
    folder = FIXTURES / family
    recorded = json.loads((folder / "parity.json").read_text())
    policy = engine(folder / "model")
    found = policy.logprobs(logprob_frame(recorded["sequences"]), lambda: None)
    assert found is not None
    assert np.abs(found["logprobs"] - np.concatenate([row["logprobs"]["1.0"] for row in recorded["sequences"]])).max() < TOLERANCE
    prompts = [row["prompt"] for row in recorded["greedy"]]
    rows = generated(policy, generate_frame(prompts, batch_size=3, max_completion_length=len(recorded["greedy"][0]["completion"])))
    assert [[i for i, _, _ in rows[p, 0]] for p in range(len(prompts))] == [row["completion"] for row in recorded["greedy"]]
    weights = recorded["training"]["dr_grpo"]["weights"]
    batch = [{**row, "weights": each} for row, each in zip(recorded["batch"], weights, strict=True)]
    for _ in recorded["steps"]["reports"]:
        policy.update(update_frame("dr_grpo", batch, objective=recorded["objective"], optimizer=recorded["optimizer"]), lambda: None)
    assert furthest(weights_of(policy), load_file(folder / "weights-after-3-steps.safetensors")) < TOLERANCE
