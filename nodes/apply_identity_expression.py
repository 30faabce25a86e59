"""ApplyIdentityExpression: a model that paints this person, with these expressions."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import comfy.model_management
import comfy.model_patcher
import comfy.utils
from comfy_api.latest import io

from .sockets import Identity, IdentityAdapter

if TYPE_CHECKING:
    from ..expressive.identity.features import IdentityFeatures
    from .identity_adapter import LoadedAdapter


class ApplyIdentityExpression(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="ApplyIdentityExpression",
            display_name="Apply Identity Expression",
            category="Expressive Avatars/identity",
            description="A model that paints a person from reference pictures, with an expression for each picture of "
            "the batch. For any sampler.",
            search_aliases=["Gen-AFFECT", "IP-Adapter", "PuLID", "apply adapter", "face id"],
            inputs=[
                io.Model.Input("model", tooltip="The one that the adapter was trained for."),
                IdentityAdapter.Input("adapter", tooltip="From Load Identity Adapter."),
                Identity.Input("identity", tooltip="From Identity Expression Encode, or from Identity File."),
                io.Float.Input(
                    "identity_weight", default=1.0, min=0.0, max=3.0, step=0.05,
                    tooltip="How much the person counts. 1 as trained.",
                ),
                io.Float.Input(
                    "expression_weight", default=1.0, min=0.0, max=3.0, step=0.05,
                    tooltip="How much the expression counts, beside what the prompt says of it. 1 as trained.",
                ),
                io.Float.Input(
                    "start", default=0.0, min=0.0, max=1.0, step=0.01, tooltip="From which part of the steps on."
                ),
                io.Float.Input(
                    "end", default=1.0, min=0.0, max=1.0, step=0.01, tooltip="Up to which part of the steps."
                ),
            ],
            outputs=[
                io.Model.Output(
                    display_name="model",
                    tooltip="For a sampler whose batch has as many pictures as there are expressions, or any number "
                    "for one expression.",
                )
            ],
        )  # fmt: skip

    @classmethod
    def execute(
        cls,
        model: comfy.model_patcher.ModelPatcher,
        adapter: LoadedAdapter,
        identity: IdentityFeatures,
        identity_weight: float,
        expression_weight: float,
        start: float,
        end: float,
    ) -> io.NodeOutput:
        """A patched clone. Raises ValueError for an adapter of another model, or an identity of other encoders."""
        from ..expressive.identity.adapter import nobody, tell
        from .identity_injector import KEY, IdentityInjector

        if start >= end:
            raise ValueError(f"The identity starts at {start:g} and ends at {end:g} of the steps: end comes later.")
        if dict(identity.key) != dict(adapter.encoders):
            raise ValueError(
                "This identity was seen through other encoders than the adapter knows. Encode the pictures with "
                "Identity Expression Encode and this adapter."
            )
        sampling: Any = model.get_model_object("model_sampling")
        first = math.inf if start <= 0 else float(sampling.percent_to_sigma(start))
        last = float(sampling.percent_to_sigma(end)) if end < 1 else 0.0
        comfy.model_management.load_models_gpu([adapter.patcher], force_full_load=True)
        told, no = tell(adapter.adapter, identity), nobody(adapter.adapter)
        patched = model.clone()
        options = patched.model_options["transformer_options"]
        if KEY in options:
            raise ValueError("The model has an identity already. Show all pictures of a person to one Apply node.")
        options[KEY] = {
            "identity": told.identity.cpu(),
            "expression": told.expression.cpu(),
            "no_identity": no.identity.cpu(),
            "no_expression": no.expression.cpu(),
            "weights": [identity_weight, expression_weight],
            "adapter": adapter.name,
        }
        IdentityInjector(adapter.adapter, first, last).attach(patched, adapter.name)
        patched.set_additional_models(KEY, [adapter.patcher])
        return io.NodeOutput(patched)
