"""Random numbers and draws against those of shared/random.ts and main/policy/tfjs/sampling.ts."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from medlogictrace_engine.philox import philox4x32, stream_key, token_uniforms
from medlogictrace_engine.sampling import Sampling, check_sampling, draw


def words(*values: int) -> list[np.ndarray]:
    return [np.array([value], dtype=np.uint64) for value in values]


@pytest.mark.parametrize(
    ("counter", "key", "expected"),
    [
        ([0, 0, 0, 0], (0, 0), [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]),
        ([0xFFFFFFFF] * 4, (0xFFFFFFFF, 0xFFFFFFFF), [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]),
        (
            [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344],
            (0xA4093822, 0x299F31D0),
            [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1],
        ),
    ],
)
def test_random123_vectors(counter: list[int], key: tuple[int, int], expected: list[int]) -> None:
    """Catches: a wrong round, constant or multiplication."""
    assert [int(word[0]) for word in philox4x32(tuple(words(*counter)), key)] == expected  # type: ignore[arg-type]


def test_the_numbers_of_typescript() -> None:
    """Catches: another order of the counter's words, another hash of the key. Printed by shared/random.ts."""
    assert stream_key("arithmetic/test:1") == TYPESCRIPT["key"]
    assert stream_key("Vitamin Ä ☃") == TYPESCRIPT["unicode_key"]
    assert token_uniforms(42, TYPESCRIPT["key"], 3, 0, 5).tolist() == TYPESCRIPT["uniforms"]
    assert token_uniforms(0xFFFFFFFF, TYPESCRIPT["key"], 1000, 7, 1).tolist() == TYPESCRIPT["large_seed"]


def reference_draw(probabilities: list[float], sampling: Sampling, uniform: float) -> int:
    """main/policy/tfjs/sampling.ts, line by line."""
    ids = sorted(range(len(probabilities)), key=lambda i: (-probabilities[i], i))
    kept = ids[: sampling.top_k] if sampling.top_k > 0 else ids
    if sampling.top_p < 1:
        total = sum(probabilities[i] for i in kept)
        mass, count = 0.0, 0
        while count < len(kept) and (count == 0 or mass < sampling.top_p * total):
            mass += probabilities[kept[count]]
            count += 1
        kept = kept[:count]
    kept = sorted(kept)
    goal, mass = uniform * sum(probabilities[i] for i in kept), 0.0
    for i in kept:
        mass += probabilities[i]
        if mass > goal:
            return i
    return kept[-1]


@pytest.mark.parametrize("vocabulary", [5, 512, 1300])
@pytest.mark.parametrize(("top_k", "top_p"), [(0, 1.0), (3, 1.0), (0, 0.6), (40, 0.9), (0, 1e-6)])
def test_draws(vocabulary: int, top_k: int, top_p: float) -> None:
    """Catches: a chunk passed over, ties that go to the higher id, a filter that keeps one too many or too few."""
    torch.manual_seed(4)
    rows = 40
    logits = torch.randn(rows, vocabulary) * 2
    logits[:, 1] = logits[:, 3]  # ties
    uniforms = torch.rand(rows)
    uniforms[0], uniforms[1] = 0, 1 - 2**-24
    sampling = Sampling(0.7, top_p, top_k, 1)
    ids, logprobs = draw(logits.clone(), uniforms, sampling)
    exact = torch.log_softmax(logits.double() / 0.7, -1)
    expected = [reference_draw(exact[i].exp().tolist(), sampling, float(uniforms[i])) for i in range(rows)]
    same = [a == b for a, b in zip(ids.tolist(), expected, strict=True)]
    assert sum(same) >= rows - 1, "one may hang on rounding"
    assert (logprobs - exact.gather(-1, ids[:, None])[:, 0]).abs().max() < 1e-5


def test_greedy_takes_the_lower_of_equals() -> None:
    """Catches: an arg-max that differs from the tfjs policy's on a tie."""
    logits = torch.tensor([[0.0, 2.0, 2.0, 1.0]])
    ids, logprobs = draw(logits, torch.zeros(1), Sampling(0, 1, 0, 1))
    assert ids.item() == 1
    assert logprobs.item() == pytest.approx(float(torch.log_softmax(logits, -1)[0, 1]))


@pytest.mark.parametrize(("name", "value"), [("temperature", -1), ("top_p", 0), ("top_p", 1.5), ("top_k", -2)])
def test_settings_are_refused_by_name(name: str, value: float) -> None:
    """Catches: a wrong setting that silently samples something else."""
    good = {"temperature": 1.0, "top_p": 1.0, "top_k": 0, "seed": 1}
    with pytest.raises(ValueError, match=f"{name} is {value}"):
        check_sampling(Sampling(**(good | {name: value})))  # type: ignore[arg-type]


TYPESCRIPT = {
    "key": (3347435091, 1494077511),
    "unicode_key": (982452983, 363065862),
    "uniforms": [0.7685551643371582, 0.5644726157188416, 0.5309610366821289, 0.6127443909645081, 0.286846399307251],
    "large_seed": [0.5867313742637634],
}
