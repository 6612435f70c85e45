"""What the runner opens an engine with, checked; and the messages' own small readers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


class SettingError(ValueError):
    """A setting that cannot be used; the message names it."""


@dataclass(frozen=True)
class Lora:
    r: int
    lora_alpha: float
    lora_dropout: float
    """Share of the input that training sets to zero before A."""
    target_modules: str
    """`all-linear`, or names of modules, comma-separated."""


@dataclass(frozen=True)
class Settings:
    model: str
    """A Hugging Face folder."""
    dtype: str
    """`float32`, or `bfloat16`: what is computed in; the weights that are trained stay float32."""
    seed: int
    threads: int
    gradient_checkpointing: bool
    sharding: str
    """`auto`, `fsdp` or `none`."""
    lora: Lora | None
    max_batch_tokens: int | None


def take(header: dict[str, Any], name: str, *kinds: type) -> Any:
    """A field of a message. Errors: SettingError where it is missing or of another kind."""
    value = header.get(name)
    if isinstance(value, bool) and bool not in kinds or not isinstance(value, kinds):
        raise SettingError(f"{name} is {value!r}; it must be {' or '.join(kind.__name__ for kind in kinds)}")
    return value


def one_of(value: str, name: str, choices: tuple[str, ...]) -> str:
    if value not in choices:
        raise SettingError(f"{name} is {value!r}; it must be one of {', '.join(choices)}")
    return value


NONE = type(None)


def settings_of(header: dict[str, Any]) -> Settings:
    """Errors: SettingError naming the field, its value and what it may be."""
    lora = take(header, "lora", dict, NONE)
    threads = take(header, "threads", int)
    if threads < 1:
        raise SettingError(f"threads is {threads}; it must be 1 or more")
    adapter = None
    if lora is not None:
        adapter = Lora(
            r=take(lora, "r", int),
            lora_alpha=float(take(lora, "lora_alpha", int, float)),
            lora_dropout=float(take(lora, "lora_dropout", int, float)),
            target_modules=take(lora, "target_modules", str),
        )
        if adapter.r < 1:
            raise SettingError(f"lora.r is {adapter.r}; it must be 1 or more")
        if not 0 <= adapter.lora_dropout < 1:
            raise SettingError(f"lora.lora_dropout is {adapter.lora_dropout}; it must be at least 0 and below 1")
    return Settings(
        model=take(header, "model", str),
        dtype=one_of(take(header, "dtype", str), "dtype", ("float32", "bfloat16")),
        seed=take(header, "seed", int),
        threads=threads,
        gradient_checkpointing=take(header, "gradient_checkpointing", bool),
        sharding=one_of(take(header, "sharding", str), "sharding", ("auto", "fsdp", "none")),
        lora=adapter,
        max_batch_tokens=take(header, "max_batch_tokens", int, NONE),
    )
