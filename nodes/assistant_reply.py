"""AssistantReply: the dialogue step."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import comfy.model_management
import comfy.utils
from comfy_api.latest import io, ui

from ..expressive.dialogue.prompt import SYSTEM_PROMPT
from ..expressive.emotion.person import GENDERS
from .sockets import Assistant as AssistantSocket
from .sockets import ChatHistory, Choice
from .sockets import Emotion as EmotionSocket
from .telling import tell

if TYPE_CHECKING:
    from ..expressive.dialogue.history import History
    from ..expressive.dialogue.messages import Assistant
    from ..expressive.emotion import Emotion


class AssistantReply(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AssistantReply",
            display_name="Assistant Reply",
            category="Expressive Avatars/speech",
            description="Answers a message, as MAVAGEN's assistant does: asks whom the user wants to see, understands "
            "“a 30-year-old female avatar” in its many forms, and then talks. Without a model it answers by a script.",
            search_aliases=["chat", "chatbot", "LLM", "dialogue", "companion", "MAVAGEN", "Qwen"],
            inputs=[
                io.String.Input(
                    "message",
                    multiline=True,
                    default="Generate a 30-year-old female avatar. I passed the exam, I can hardly believe it!",
                    tooltip="What the user says. Empty, and without a history: the assistant speaks first.",
                ),
                io.Int.Input(
                    "max_tokens", default=160, min=1, max=4096,
                    tooltip="How long the reply may be at most; a word is a little more than one token. For models.",
                ),
                io.Float.Input(
                    "temperature", default=0.7, min=0.0, max=2.0, step=0.05,
                    tooltip="How freely words are chosen; 0 always takes the likeliest. For models.",
                ),
                io.Int.Input(
                    "seed", default=0, min=0, max=2**32 - 1, control_after_generate=True,
                    tooltip="Another seed, another reply.",
                ),
                io.String.Input(
                    "system_prompt",
                    multiline=True,
                    default=SYSTEM_PROMPT,
                    tooltip="Who the assistant is and how it speaks. What is known of the avatar and of the emotion is "
                    "added. For models.",
                    advanced=True,
                ),
                io.Combo.Input(
                    "gender_if_unknown", options=list(GENDERS),
                    tooltip="What gender gives as long as the user has not said it.", advanced=True,
                ),
                io.Int.Input(
                    "age_if_unknown", default=30, min=18, max=100,
                    tooltip="What age gives as long as the user has not said it.", advanced=True,
                ),
                AssistantSocket.Input(
                    "assistant", optional=True,
                    tooltip="From Load Assistant or Assistant Endpoint. Without it and clip, a script answers.",
                ),
                io.Clip.Input(
                    "clip", optional=True,
                    tooltip="A text encoder that can write, as for Generate Text: Qwen3, Qwen3-VL, Qwen3.5, Gemma.",
                ),
                io.MultiType.Input(
                    "history", [ChatHistory, io.String], optional=True,
                    tooltip="What was said before: from another Assistant Reply, or as JSON text.",
                ),
                EmotionSocket.Input(
                    "emotion", optional=True, tooltip="What the user feels, such as from Emotion From Text."
                ),
            ],
            outputs=[
                io.String.Output("reply", tooltip="What the assistant answers, ready to be spoken."),
                ChatHistory.Output("history_out", display_name="history", tooltip="For the next Assistant Reply."),
                io.String.Output("history_json", tooltip="The same as text, to keep."),
                Choice.Output("gender", tooltip="Whom the user wants to see, for Avatar Retrieve."),
                io.Int.Output("age", tooltip="In years, for Avatar Retrieve."),
                io.Boolean.Output("known", tooltip="True once the user has said both gender and age."),
            ],
            hidden=[io.Hidden.unique_id],
        )  # fmt: skip

    @classmethod
    def execute(
        cls,
        message: str,
        max_tokens: int,
        temperature: float,
        seed: int,
        system_prompt: str,
        gender_if_unknown: str,
        age_if_unknown: int,
        assistant: Assistant | None = None,
        clip: Any = None,
        history: History | str | None = None,
        emotion: Emotion | None = None,
    ) -> io.NodeOutput:
        """Reply, history, its JSON, gender, age, and whether both are known. ValueError … with a sentence."""
        from ..expressive.dialogue.avatar_request import read, request_of
        from ..expressive.dialogue.history import Turn, from_json, to_json
        from ..expressive.dialogue.messages import Sampling, instructions, messages_of
        from .host_assistant import HostAssistant

        if assistant is not None and clip is not None:
            raise ValueError("Both assistant and clip are connected, but one of them answers. Take one away.")
        turns = from_json(history) if isinstance(history, str) else tuple(history or ())
        known, asked = request_of(turns)
        reading = read(message, known, asked)
        request = reading.added_to(known)
        answering = HostAssistant(clip) if clip is not None else assistant
        if answering is None or not message.strip():
            from ..expressive.dialogue import scripted

            reply = scripted.reply(message, turns, emotion, seed)
        else:
            instructed = instructions(system_prompt, request, reading.refused, emotion)
            reply = answering.reply(
                messages_of(instructed, turns, message), Sampling(max_tokens, temperature, seed), _progress(max_tokens)
            )
        said = (Turn("user", message),) if message.strip() else ()
        turns = (*turns, *said, Turn("assistant", reply))
        tell(cls, reply)
        return io.NodeOutput(
            reply,
            turns,
            to_json(turns),
            request.gender or gender_if_unknown,
            request.age if request.age is not None else age_if_unknown,
            request.complete,
            ui=ui.PreviewText(reply),
        )


def _progress(total: int) -> Callable[[int], None]:
    """Shows how many tokens there are, and stops when the user cancels."""
    bar = comfy.utils.ProgressBar(total)

    def told(tokens: int) -> None:
        comfy.model_management.throw_exception_if_processing_interrupted()
        bar.update_absolute(tokens)

    return told
