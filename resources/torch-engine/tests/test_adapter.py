"""LoRA: what is trained, what the reference is, and what is left of it in files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from frames import RECORDED, engine, furthest, generate_frame, generated, logprob_frame, update_frame, weights_of
from medlogictrace_engine.engine import Engine
from medlogictrace_engine.protocol import Array
from medlogictrace_engine.settings import SettingError
from medlogictrace_engine.team import VerbError

LORA = {"r": 4, "lora_alpha": 8.0, "lora_dropout": 0.0, "target_modules": "all-linear"}
ROWS = RECORDED["sequences"]


def read(of: Engine, model: str = "policy") -> Array:
    found = of.logprobs(logprob_frame(ROWS, model=model), lambda: None)
    assert found is not None
    return found["logprobs"]


def step(of: Engine, times: int = 1) -> None:
    for _ in range(times):
        of.update(update_frame("dr_grpo"), lambda: None)


def test_only_the_adapter_moves_and_decoding_has_it() -> None:
    """Catches: base weights that are trained too, a generator that leaves the adapter out or merges it with another scale."""
    policy = engine(lora=LORA)
    before = {name: p.detach().clone() for name, p in policy.model.base.named_parameters() if not p.requires_grad}
    untouched = read(policy)
    step(policy, 2)
    now = dict(policy.model.base.named_parameters())
    assert all(bool((now[name] == p).all()) for name, p in before.items())
    assert sum(p.numel() for _, p in policy.model.trained()) < 0.5 * policy.model.parameters
    assert np.abs(read(policy) - untouched).max() > 0.01
    prompts = [row["prompt"] for row in RECORDED["greedy"]]
    sampling = {"temperature": 1.0, "top_p": 1.0, "top_k": 0, "seed": 3}
    rows = generated(policy, generate_frame(prompts, sampling=sampling))
    written = [{"prompt": prompt, "completion": [i for i, _, _ in rows[p, 0]]} for p, prompt in enumerate(prompts)]
    again = policy.logprobs(logprob_frame(written), lambda: None)
    assert again is not None
    assert np.abs(again["logprobs"] - [chance for p in range(len(prompts)) for _, chance, _ in rows[p, 0]]).max() < 1e-4


def test_reference_is_where_it_was_frozen() -> None:
    """Catches: a reference with the adapter on, or one frozen later that loses the adapter it had then."""
    policy = engine(lora=LORA)
    start = read(policy)
    policy.model.freeze_reference()
    step(policy)
    assert np.abs(read(policy, "reference") - start).max() < 1e-6
    moved = read(policy)
    policy.model.freeze_reference()
    step(policy)
    assert np.abs(read(policy, "reference") - moved).max() < 1e-6
    assert np.abs(read(policy) - moved).max() > 0.01


def test_resume_is_the_same_to_the_last_bit(tmp_path: Path) -> None:
    """Catches: an adapter merged into the base that it is then added to once more, and moments of other parameters."""
    policy = engine(lora=LORA)
    step(policy)
    for what in ("weights", "trainer"):
        policy.save(str(tmp_path), what)
    resumed = engine(lora=LORA, seed=77)
    resumed.load(str(tmp_path), "weights")
    assert np.abs(read(resumed) - read(policy)).max() < 1e-4
    resumed.load(str(tmp_path), "trainer")
    for of in (policy, resumed):
        step(of)
    assert furthest(weights_of(policy), weights_of(resumed)) == 0
    # The merged weights are a model of their own.
    (tmp_path / "config.json").write_text((Path(policy.settings.model) / "config.json").read_text())
    policy.save(str(tmp_path), "weights")
    assert np.abs(read(engine(tmp_path)) - read(policy)).max() < 1e-4


def test_adapter_files(tmp_path: Path) -> None:
    """Catches: an adapter that PEFT cannot read, or one of another shape that is taken."""
    policy = engine(lora=LORA)
    step(policy)
    policy.save(str(tmp_path), "adapter")
    other = engine(lora=LORA, seed=5)
    other.load(str(tmp_path), "adapter")
    assert np.abs(read(other) - read(policy)).max() == 0
    with pytest.raises(VerbError, match="another adapter"):
        engine(lora=LORA | {"r": 2}).load(str(tmp_path), "adapter")
    with pytest.raises(VerbError, match="no adapter"):
        engine().save(str(tmp_path), "adapter")
    with pytest.raises(VerbError, match="target_modules 'nothing'"):
        engine(lora=LORA | {"target_modules": "nothing"})


def test_dropout_is_drawn_anew_in_each_step_and_in_training_alone(tmp_path: Path) -> None:
    """Catches: masks that scoring meets, that every step repeats, or that a run that goes on does not meet again."""
    dropping = LORA | {"lora_dropout": 0.3}
    policy, plain, split = engine(lora=dropping), engine(lora=LORA), engine(lora=dropping)
    step(policy, 2)
    step(plain, 2)
    assert np.abs(read(policy) - read(plain)).max() > 1e-4
    assert (read(policy) == read(policy)).all()
    for what in ("weights", "trainer"):
        policy.save(str(tmp_path), what)
    split.load(str(tmp_path), "weights")
    split.load(str(tmp_path), "trainer")
    for each in (policy, split):
        step(each)
    assert furthest(weights_of(policy), weights_of(split)) == 0
    still = update_frame("dr_grpo", optimizer=RECORDED["optimizer"] | {"learning_rate": 0.0})
    losses = [policy.update(still, lambda: None)["loss"] for _ in range(2)]
    assert losses[0] != losses[1]


def test_setting_of_dropout_is_checked() -> None:
    with pytest.raises(SettingError, match="lora_dropout is 1.0; it must be at least 0 and below 1"):
        engine(lora=LORA | {"lora_dropout": 1.0})
