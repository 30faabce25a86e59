"""The host's own text generation as an assistant: a CLIP whose text encoder can write, as in Generate Text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ..expressive.dialogue.messages import Message, Sampling, fitting, spoken, without_system

CONTEXT = 4096
"""Tokens of a conversation that are read at most."""
_ENDS = ("<|im_end|>", "<end_of_turn>", "<turn|>", "</s>")


@dataclass(frozen=True)
class HostAssistant:
    """clip: the host's CLIP."""

    clip: Any

    @property
    def name(self) -> str:
        return "CLIP"

    def reply(self, messages: Sequence[Message], sampling: Sampling, progress: Callable[[int], None]) -> str:
        """See `expressive.dialogue.messages.Assistant`; the host shows the progress and heeds Cancel itself.

        ValueError with a sentence if this CLIP cannot write.
        """
        progress(0)
        family = next(iter(self._tokens("Hello")))
        kept = fitting(messages, lambda found: self._count(rendered(found, family)), CONTEXT)
        try:
            found = self.clip.generate(
                self._tokens(rendered(kept, family)),
                do_sample=sampling.temperature > 0,
                max_length=sampling.tokens,
                temperature=max(0.01, sampling.temperature),
                top_k=64,
                top_p=0.95,
                min_p=0.05,
                repetition_penalty=1.05,
                presence_penalty=0.0,
                seed=sampling.seed,
            )
        except AttributeError as error:
            # the host has no other sign: text encoders lack the one or the other
            if not any(f"'{lacking}'" in str(error) for lacking in ("generate", "stop_tokens")):
                raise
            raise ValueError(
                f"This CLIP ({family}) cannot write text in ComfyUI. Load one that can, such as Qwen3, Qwen3-VL, "
                "Qwen3.5 or Gemma 3 or 4, or connect Load Assistant instead."
            ) from error
        answer = self.clip.decode(found)
        for end in _ENDS:
            answer = answer.partition(end)[0]
        return spoken(answer)

    def _tokens(self, text: str) -> dict[str, Any]:
        """Of a text that is rendered already: the tokenizer's own template is left out."""
        return self.clip.tokenize(text, skip_template=True, llama_template="{}", min_length=1, thinking=False)

    def _count(self, text: str) -> int:
        return sum(len(part) for part in next(iter(self._tokens(text).values())))


def rendered(messages: Sequence[Message], family: str) -> str:
    """The chat as a family of models writes it, up to where the assistant is to speak.

    family: the name under which the host's tokenizer gives its tokens, such as "qwen3_4b" or "gemma3_12b".
    """
    if family.startswith("qwen"):
        text = "".join(f"<|im_start|>{one['role']}\n{one['content']}<|im_end|>\n" for one in messages)
        thought = "<think>\n\n</think>\n\n" if family.startswith("qwen3") else ""  # so that it answers at once
        return f"{text}<|im_start|>assistant\n{thought}"
    if family.startswith("gemma4"):
        return _turns(messages, "<|turn>{role}\n{content}<turn|>\n") + "<|turn>model\n<|channel>thought\n<channel|>"
    if family.startswith("gemma"):
        # the host cuts the first token, where it expects <bos>
        return (
            "\n"
            + _turns(without_system(messages), "<start_of_turn>{role}\n{content}<end_of_turn>\n")
            + ("<start_of_turn>model\n")
        )
    if "mistral" in family or "ministral" in family:
        forms = {
            "system": "[SYSTEM_PROMPT]{content}[/SYSTEM_PROMPT]",
            "user": "[INST]{content}[/INST]",
            "assistant": "{content}</s>",
        }
        return "".join(forms[one["role"]].format(content=one["content"]) for one in messages)
    return "".join(f"{one['role'].capitalize()}: {one['content']}\n\n" for one in messages) + "Assistant:"


def _turns(messages: Sequence[Message], form: str) -> str:
    """Each turn in this form; the assistant is called "model"."""
    return "".join(
        form.format(role="model" if one["role"] == "assistant" else one["role"], content=one["content"])
        for one in messages
    )
