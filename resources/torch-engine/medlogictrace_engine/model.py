"""The model on one rank: a Hugging Face folder through Transformers, whole or with a LoRA adapter, replicated or sharded (FSDP2)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from .packing import Batch
from .philox import stream_uniforms
from .settings import Settings
from .team import Team, VerbError

T = TypeVar("T")

FAMILIES = ("qwen2", "qwen3", "llama")
"""model_type of the decoders whose step-by-step form is in decoder.py."""

BYTES_A_WEIGHT = 16
"""float32 weight, gradient and both moments of AdamW."""


class Scorer(nn.Module):
    """Model and output layer as one module, so that whatever wraps it (sharding) sees the output layer's weights too."""

    def __init__(self, model: Any, compute: torch.dtype) -> None:
        super().__init__()
        self.model = model
        self.compute = compute

    def forward(self, batch: Batch, head: Callable[[Tensor, Tensor], T]) -> T:
        """`head` of the final hidden states [T, H] at the batch's rows, and the output weights [V, H]."""
        # Without positions and mask the model counts and looks back by itself; a mask of four dimensions is taken as it is.
        own = {} if batch.mask is None else {"position_ids": batch.positions, "attention_mask": batch.mask}
        hidden = self.model.model(input_ids=batch.ids, use_cache=False, **own).last_hidden_state
        return head(hidden.flatten(0, 1).index_select(0, batch.rows).to(self.compute), self.model.lm_head.weight)


def read_folder(folder: str) -> Any:
    """Weights in float32. Errors: VerbError naming folder and finding; weights that are missing are never made up."""
    from transformers import AutoModelForCausalLM
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        model, found = AutoModelForCausalLM.from_pretrained(
            folder, dtype=torch.float32, attn_implementation="sdpa", local_files_only=True, output_loading_info=True
        )
    except (OSError, ValueError) as error:
        raise VerbError(f"{folder} cannot be loaded: {error}") from error
    wrong = sorted(str(name) for kind in ("missing_keys", "unexpected_keys", "mismatched_keys") for name in found.get(kind, ()))
    if wrong:
        raise VerbError(f"{folder} does not hold the weights that its config calls for: {', '.join(wrong[:5])}")
    if model.config.model_type not in FAMILIES:
        raise VerbError(f"{folder}: model_type {model.config.model_type} is not supported; supported: {', '.join(FAMILIES)}")
    model.config.use_cache = False
    return model.eval().requires_grad_(False)


class Model:
    def __init__(self, settings: Settings, team: Team) -> None:
        self.settings = settings
        self.team = team
        self.compute = torch.bfloat16 if settings.dtype == "bfloat16" else torch.float32
        self.base = read_folder(settings.model)
        self.config = self.base.config
        self.parameters = sum(p.numel() for p in self.base.parameters())
        self.sharded = self.shards()
        self.peft: Any = None
        if settings.lora is None:
            self.base.requires_grad_(True)
        else:
            self.add_adapter()
        if settings.gradient_checkpointing:
            self.base.activation_checkpointing_enable()
        self.base.to(team.device)
        self.scorer = self.wrap(self.base)
        self.reference: Scorer | None = None
        self.reference_adapter: dict[str, Tensor] | None = None
        self.version = 0
        """Counts changes of the weights, so that copies made of them know when they are old."""

    def shards(self) -> bool:
        """Whether weights, gradients and moments are divided over the ranks because they do not fit one device together."""
        if self.settings.sharding == "fsdp" and self.team.world == 1:
            raise VerbError("sharding fsdp needs two processes or more; this engine has one")
        if self.settings.sharding != "auto" or self.team.world == 1 or self.team.device.type != "cuda":
            return self.settings.sharding == "fsdp"
        trained = 4 if self.settings.lora else BYTES_A_WEIGHT
        # What is left is for activations and for the copy that generation computes with.
        return bool(trained * self.parameters > 0.6 * torch.cuda.get_device_properties(self.team.device).total_memory)

    def add_adapter(self) -> None:
        from peft import LoraConfig, get_peft_model

        lora = self.settings.lora
        assert lora is not None
        names = [name.strip() for name in lora.target_modules.split(",")]
        if self.compute == torch.bfloat16 and not self.sharded:
            self.base.to(torch.bfloat16)
        try:
            config = LoraConfig(
                r=lora.r,
                lora_alpha=lora.lora_alpha,  # type: ignore[arg-type]
                lora_dropout=lora.lora_dropout,
                target_modules=names[0] if names == ["all-linear"] else names,
                task_type="CAUSAL_LM",
            )
            self.peft = get_peft_model(self.base, config)
        except ValueError as error:
            raise VerbError(f"lora.target_modules {lora.target_modules!r}: {error}") from error
        self.begin_adapter()

    @torch.no_grad()
    def begin_adapter(self) -> None:
        """A uniform within 1/sqrt(in), as PEFT draws it, but from named streams: every backend begins with the same numbers. B is zero."""
        for name, parameter in self.base.named_parameters():
            if ".lora_A." in name:
                draws = stream_uniforms(self.settings.seed, f"lora {name.replace('.default.', '.')}", parameter.numel())
                bound = 1 / math.sqrt(parameter.shape[1])
                values = (2 * draws.astype(np.float64) - 1) * bound
                parameter.copy_(torch.from_numpy(values.astype(np.float32)).view_as(parameter))

    def wrap(self, model: Any) -> Scorer:
        scorer = Scorer(model, self.compute)
        if self.sharded:
            from torch.distributed.device_mesh import init_device_mesh
            from torch.distributed.fsdp import FSDPModule, MixedPrecisionPolicy, fully_shard

            mesh = init_device_mesh(self.team.device.type, (self.team.world,))
            policy = MixedPrecisionPolicy(param_dtype=self.compute if self.compute != torch.float32 else None, reduce_dtype=torch.float32)
            for module in [*model.model.layers, scorer]:
                fully_shard(module, mesh=mesh, mp_policy=policy)
                assert isinstance(module, FSDPModule)
                # The loss is a sum over all ranks' tokens: gradients are added, not averaged.
                module.set_gradient_divide_factor(1.0)
                module.set_force_sum_reduction_for_comms(True)
        return scorer

    def trained(self) -> list[tuple[str, nn.Parameter]]:
        """What the optimizer moves, under the names that the trainer state has: Hugging Face's, or the adapter's."""
        return [(name, p) for name, p in self.base.named_parameters() if p.requires_grad]

    def computing(self) -> AbstractContextManager[Any]:
        if self.compute == torch.float32:
            return nullcontext()
        return torch.autocast(self.team.device.type, dtype=self.compute)

    def weights(self) -> Iterator[tuple[str, Tensor]]:
        """Name and float32 value of every tensor of a checkpoint, adapter merged in; whole, so on every rank at once where sharded."""
        tied = bool(self.config.tie_word_embeddings)
        for name, parameter in list(self.base.named_parameters()):
            if "lora_" in name or (tied and name == "lm_head.weight"):
                continue
            value = whole(parameter)
            plain = name.replace(".base_layer.", ".")
            if plain != name and name.endswith(".weight"):
                value = value.float() + adapter_delta(self.base.get_submodule(plain.removesuffix(".weight")))
            yield plain, value.float()

    @torch.no_grad()
    def set_weights(self, tensors: dict[str, Tensor]) -> None:
        """Replaces all of them; an adapter starts from nothing again. Errors: VerbError, with nothing changed, where some do not fit."""
        own = {name.replace(".base_layer.", "."): p for name, p in self.base.named_parameters() if "lora_" not in name}
        if self.config.tie_word_embeddings:
            own.pop("lm_head.weight", None)
        wrong = sorted(name for name in {*own, *tensors} if shape_of(own, name) != shape_of(tensors, name))
        if wrong:
            raise VerbError(
                f"the weights are not of this model: {', '.join(wrong[:5])} differ in name or shape. Load them as a new policy."
            )
        for name, parameter in own.items():
            assign(parameter, tensors[name])
        for name, parameter in self.base.named_parameters():
            if "lora_B" in name:
                parameter.zero_()
        self.version += 1

    @torch.no_grad()
    def freeze_reference(self) -> None:
        """Keeps the current weights as the reference: of an adapter only the adapter, since what it stands on does not move."""
        if self.peft is not None:
            self.reference_adapter = {name: p.detach().clone() for name, p in self.trained()}
            return
        copy = read_folder(self.settings.model)
        if not self.sharded and self.compute != torch.float32:
            # Products are computed in bfloat16 anyway; what is not multiplied (norms, embedding) keeps its precision.
            copy.model.layers.to(torch.bfloat16)
            for layer in copy.model.layers:
                for name, module in layer.named_children():
                    if name.endswith("layernorm"):
                        module.float()
        copy.to(self.team.device)
        target = dict(copy.named_parameters())
        for name, value in self.weights():
            target[name].copy_(value)
        self.reference = self.wrap(copy)

    def score(self, which: str, batch: Batch, head: Callable[[Tensor, Tensor], T]) -> T:
        """`head` over the policy's or the reference's hidden states. Errors: VerbError where there is no reference."""
        if which == "policy":
            with self.computing():
                return self.scorer(batch, head)  # type: ignore[no-any-return]
        if self.reference is not None:
            with self.computing():
                return self.reference(batch, head)  # type: ignore[no-any-return]
        if self.reference_adapter is None:
            raise VerbError("there is no reference model: call freezeReference() first")
        with self.reference_in_place(), self.computing():
            return self.scorer(batch, head)  # type: ignore[no-any-return]

    def reference_in_place(self) -> AbstractContextManager[Any]:
        """The adapter switched off where the reference's was still zero, else exchanged for the reference's own."""
        kept = self.reference_adapter or {}
        if not self.sharded and all(not value.any() for name, value in kept.items() if "lora_B" in name):
            return self.peft.disable_adapter()  # type: ignore[no-any-return]
        return Exchanged(self.trained(), kept)


class Exchanged:
    """Other values in the place of some parameters, for as long as the block lasts."""

    def __init__(self, parameters: list[tuple[str, nn.Parameter]], values: dict[str, Tensor]) -> None:
        self.pairs = [(parameter, values[name]) for name, parameter in parameters]

    def exchange(self) -> None:
        with torch.no_grad():
            for parameter, value in self.pairs:
                mine = parameter.detach().clone()
                parameter.copy_(value)
                value.copy_(mine)

    def __enter__(self) -> None:
        self.exchange()

    def __exit__(self, *_: object) -> None:
        self.exchange()


def shape_of(tensors: Mapping[str, Tensor], name: str) -> torch.Size | None:
    return tensors[name].shape if name in tensors else None


def whole(parameter: Tensor) -> Tensor:
    """The full tensor of a parameter; of a sharded one by a collective step."""
    full = getattr(parameter.detach(), "full_tensor", None)
    return full() if full is not None else parameter.detach()


def assign(parameter: Tensor, value: Tensor) -> None:
    """Copies a whole tensor into a parameter, or this rank's part of it into its shard."""
    from torch.distributed.tensor import DTensor, distribute_tensor

    if isinstance(parameter, DTensor):
        value = distribute_tensor(value.to(parameter.device, parameter.dtype), parameter.device_mesh, parameter.placements)
    parameter.copy_(value)


def adapter_delta(module: Any) -> Tensor:
    """What the adapter adds to a linear layer's weight, [out, in] float32."""
    scaling = float(module.scaling["default"])
    return scaling * (whole(module.lora_B["default"].weight).float() @ whole(module.lora_A["default"].weight).float())
