"""IdentityExpressionEncode: pictures of a person, and the expressions to make, as an adapter knows them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from comfy_api.latest import io
from torch import Tensor

from ..expressive.emotion import Emotion
from .sockets import Emotion as EmotionSocket
from .sockets import Identity, IdentityAdapter

if TYPE_CHECKING:
    from .identity_adapter import LoadedAdapter


class IdentityExpressionEncode(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="IdentityExpressionEncode",
            display_name="Identity Expression Encode",
            category="Expressive Avatars/identity",
            description="Looks at pictures of a person, and at the expressions that the person is to make: reference "
            "pictures of anybody, or emotions.",
            search_aliases=["Gen-AFFECT", "face reference", "expression reference", "character reference"],
            is_input_list=True,
            inputs=[
                IdentityAdapter.Input("adapter", tooltip="It says through which encoders to look."),
                io.Image.Input("identity", tooltip="1 to 8 pictures of one person, one face in each."),
                io.Image.Input(
                    "expression", optional=True,
                    tooltip="Pictures of faces that make the expressions, of anybody: as many as pictures are painted.",
                ),
                EmotionSocket.Input(
                    "emotion", optional=True,
                    tooltip="Or the expressions in words: one emotion, or a list from Expression Prompt. The adapter "
                    "has to know them.",
                ),
            ],
            outputs=[
                Identity.Output(
                    "identity_out", display_name="identity",
                    tooltip="For Apply Identity Expression, and for Identity File, which keeps it.",
                )
            ],
        )  # fmt: skip

    @classmethod
    def execute(
        cls,
        adapter: list[LoadedAdapter],
        identity: list[Tensor],
        expression: list[Tensor] | None = None,
        emotion: list[Emotion] | None = None,
    ) -> io.NodeOutput:
        """Features of 1 to 8 pictures [1,H,W,3] and N expressions. ValueError for both kinds of expressions at once,
        pictures without a face, or emotions that the adapter does not know."""
        from ..expressive.identity.features import MOST_PICTURES, IdentityFeatures
        from .identity_adapter import seers_of

        if expression and emotion:
            raise ValueError("The expressions come as pictures and as emotions. Connect one of the two.")
        if len(adapter) > 1:
            raise ValueError(f"One adapter says how to look, but {len(adapter)} came. Connect one.")
        loaded = adapter[0]
        people = [picture for batch in identity for picture in batch]
        if len(people) > MOST_PICTURES:
            raise ValueError(f"A person is told by 1 to {MOST_PICTURES} pictures; {len(people)} came.")
        seers, held = seers_of(loaded)
        with torch.no_grad():
            seen = [seers.who(_picture(picture)) for picture in people]
            faces, names = _faces(loaded, seers, expression, emotion)
        del held
        found = IdentityFeatures(
            torch.cat([who for who, _ in seen]).float().cpu(),
            torch.cat([look for _, look in seen]).float().cpu(),
            faces.float().cpu(),
            tuple(names),
            dict(loaded.encoders),
        )
        return io.NodeOutput(found)


def _faces(
    loaded: LoadedAdapter, seers: Any, expression: list[Tensor] | None, emotion: list[Emotion] | None
) -> tuple[Tensor, list[str]]:
    """Expression features [N,E] and a name for each."""
    if expression:
        pictures = [picture for batch in expression for picture in batch]
        return torch.cat([seers.face(_picture(one)) for one in pictures]), [str(n + 1) for n in range(len(pictures))]
    if emotion:
        told = [{word: much for word, much in one.pixelsmile().items() if much > 0} for one in emotion]
        return torch.stack([loaded.adapter.face_of(weights) for weights in told]), [one.label for one in emotion]
    return torch.zeros(0, loaded.adapter.config.tokens.expression), []


def _picture(picture: Tensor) -> Tensor:
    """[H,W,C] → [1,3,H,W]"""
    return picture[..., :3].movedim(-1, 0)[None].float()
