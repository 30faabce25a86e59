"""AssistantEndpoint: a chat model behind an OpenAI-compatible address."""

from __future__ import annotations

from comfy_api.latest import io, ui

from .sockets import Assistant as AssistantSocket
from .telling import tell


class AssistantEndpoint(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AssistantEndpoint",
            display_name="Assistant Endpoint",
            category="Expressive Avatars/loaders",
            description="A chat model behind an OpenAI-compatible address, for Assistant Reply: a server of your own "
            "(Ollama, llama.cpp, LM Studio, vLLM) or a service. Sends nothing unless you allow it.",
            search_aliases=["OpenAI", "Ollama", "llama.cpp", "LM Studio", "vLLM", "LLM", "API", "chatbot"],
            inputs=[
                io.String.Input(
                    "base_url",
                    default="http://127.0.0.1:11434/v1",
                    tooltip="The address before /chat/completions. The default is Ollama on this machine.",
                ),
                io.String.Input(
                    "model_name", default="qwen2.5:7b", tooltip="What the endpoint calls the model that is to answer."
                ),
                io.String.Input(
                    "key_variable",
                    default="",
                    tooltip="The name of the environment variable that holds the key, never the key itself. Empty: the "
                    "endpoint wants none.",
                ),
                io.Float.Input(
                    "timeout", default=60.0, min=1.0, max=600.0, step=1.0,
                    tooltip="Seconds that one try may take.", advanced=True,
                ),
                io.Int.Input(
                    "retries", default=2, min=0, max=5,
                    tooltip="How often to try again if the endpoint is busy or late.", advanced=True,
                ),
                io.Boolean.Input(
                    "allow_network", default=False,
                    tooltip="Tick to send the message, the history and the system prompt to this address.",
                ),
            ],
            outputs=[AssistantSocket.Output("assistant", tooltip="For Assistant Reply.")],
            hidden=[io.Hidden.unique_id],
        )  # fmt: skip

    @classmethod
    def execute(
        cls,
        base_url: str,
        model_name: str,
        key_variable: str,
        timeout: float,
        retries: int,
        allow_network: bool,
    ) -> io.NodeOutput:
        """The endpoint, of which nothing is asked yet. ValueError with a sentence for a wrong address or variable."""
        from ..expressive.dialogue.endpoint import Endpoint

        found = Endpoint(base_url, model_name, key_variable, timeout, retries)
        if not allow_network:
            raise ValueError(
                f"What is said would be sent to {found.base_url}. Tick allow_network if you want that, or take "
                "Assistant Endpoint away: Assistant Reply then answers by a script."
            )
        tell(cls, found.name)
        return io.NodeOutput(found, ui=ui.PreviewText(found.name))
