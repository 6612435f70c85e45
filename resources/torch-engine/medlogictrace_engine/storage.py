"""Tensor files: written to a temporary name, then renamed; adapters in PEFT's own form."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import torch
from torch import Tensor

from .model import Model, shape_of, whole
from .team import VerbError


def write_tensors(folder: str, name: str, tensors: dict[str, Tensor], metadata: dict[str, str]) -> None:
    """Errors: OSError of the disk; what was there before is then as it was."""
    from safetensors.torch import save_file

    path = Path(folder, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{name}.{os.getpid()}.tmp")
    try:
        save_file({key: t.detach().cpu().contiguous() for key, t in tensors.items()}, temporary, metadata)
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def read_tensors(folder: str, name: str) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Tensors (float32) and metadata; of weights in shards, all of them. Errors: VerbError naming the file."""
    from safetensors import SafetensorError, safe_open

    path = Path(folder, name)
    files = [path] if path.exists() else sorted(Path(folder).glob(f"{path.stem}-*-of-*.safetensors"))
    if not files:
        raise VerbError(f"{path} is not there")
    tensors: dict[str, Tensor] = {}
    metadata: dict[str, str] = {}
    for file in files:
        try:
            with safe_open(file, "pt") as opened:
                metadata |= opened.metadata() or {}
                for key in opened.keys():
                    tensors[key] = opened.get_tensor(key).to(torch.float32)
        except (SafetensorError, OSError) as error:
            raise VerbError(f"{file} cannot be read: {error}") from error
    return tensors, metadata


def save_adapter(model: Model, folder: str, writes: bool) -> None:
    """Errors: VerbError where the policy has none."""
    from peft import get_peft_model_state_dict
    from safetensors.torch import save_file

    if model.peft is None:
        raise VerbError("this policy has no adapter to save; it trains all weights")
    state = {name: whole(value).cpu().contiguous() for name, value in get_peft_model_state_dict(model.peft).items()}
    if not writes:
        return
    Path(folder).mkdir(parents=True, exist_ok=True)
    work = tempfile.mkdtemp(dir=folder, prefix=".adapter-")
    try:
        save_file(state, Path(work, "adapter_model.safetensors"), {"format": "pt"})
        model.peft.peft_config["default"].save_pretrained(work)
        for name in ("adapter_model.safetensors", "adapter_config.json"):
            Path(work, name).replace(Path(folder, name))
    finally:
        shutil.rmtree(work, ignore_errors=True)


def load_adapter(model: Model, folder: str) -> None:
    """Errors: VerbError where the policy has none, or the file is another's."""
    from peft import get_peft_model_state_dict, set_peft_model_state_dict

    if model.peft is None:
        raise VerbError("this policy has no adapter to load into; it trains all weights")
    tensors, _ = read_tensors(folder, "adapter_model.safetensors")
    own = get_peft_model_state_dict(model.peft)
    wrong = sorted(name for name in {*own, *tensors} if shape_of(own, name) != shape_of(tensors, name))
    if wrong:
        raise VerbError(f"{folder}/adapter_model.safetensors is of another adapter: {', '.join(wrong[:3])} differ in name or shape")
    set_peft_model_state_dict(model.peft, tensors)
    model.version += 1
