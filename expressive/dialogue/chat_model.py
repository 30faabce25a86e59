"""Chat models of transformers from a local folder, such as Qwen2.5-7B-Instruct, MAVAGEN's assistant (§3.1).

A folder holds config.json, safetensors and the tokenizer's files with a chat template, as Hugging Face publishes them.
Nothing is fetched, and no code of a folder is run.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ..encoders import loading, model_folder
from .messages import Message, Sampling, fitting, spoken, without_system

_PROBE = "Be brief and kind."  # looked for in a rendered chat


class ChatModel:
    """A causal language model and its tokenizer."""

    def __init__(self, name: str, network: nn.Module, tokenizer: Any, generation: Any) -> None:
        """network: transformers' …ForCausalLM, frozen. generation: its GenerationConfig, as its folder has it.

        Raises ValueError for a tokenizer without a chat template.
        """
        self.name, self.network = name, network
        self._model: Any = network
        self._tokenizer = tokenizer
        self._generation = generation
        self._has_system_role = _has_system_role(tokenizer, name)
        self.length = int(getattr(self._model.config, "max_position_embeddings", None) or 4096)

    @classmethod
    def load(cls, folder: Path, dtype: torch.dtype) -> ChatModel:
        """From a model's folder. Raises FileNotFoundError, ImportError or ValueError with one sentence."""
        config = _config(folder)
        _check_weights(folder)
        transformers = loading.package("transformers", "let a chat model answer")
        words = config.get("vocab_size") or config.get("text_config", {}).get("vocab_size") or 2**31
        tokenizer: Any = model_folder.load_tokenizer(transformers.AutoTokenizer, folder, int(words))
        _has_system_role(tokenizer, folder.name)  # before the weights, which take long
        network = _network(transformers, folder, dtype)
        generation = network.generation_config
        # what is drawn, and how, is decided here; the rest of the folder's settings would be warned of
        network.generation_config = transformers.GenerationConfig(
            do_sample=False,
            repetition_penalty=getattr(generation, "repetition_penalty", None) or 1.0,
            bos_token_id=generation.bos_token_id,
            **_ends(generation, tokenizer),
        )
        return cls(folder.name, network, tokenizer, generation)

    def reply(
        self,
        messages: Sequence[Message],
        sampling: Sampling,
        progress: Callable[[int], None] = lambda tokens: None,
    ) -> str:
        """See `Assistant`. Of a long history the oldest exchanges are left out; the global random state is not used."""
        transformers = loading.package("transformers", "let a chat model answer")
        kept = fitting(messages, lambda found: len(self._tokens(found)), self.length - sampling.tokens)
        device = next(self.network.parameters()).device
        tokens = torch.tensor([self._tokens(kept)], device=device)  # [1,L]
        watch = _Watch(tokens.shape[1], progress)
        layers = getattr(self._model.base_model, "layers", ())
        hooks = [layer.register_forward_pre_hook(watch.between) for layer in layers]
        try:
            found = self._model.generate(
                input_ids=tokens,
                attention_mask=torch.ones_like(tokens),
                max_new_tokens=sampling.tokens,
                logits_processor=self._drawing(sampling),
                stopping_criteria=transformers.StoppingCriteriaList([watch]),
            )  # [1,L + answer]
        finally:
            for hook in hooks:
                hook.remove()
        return spoken(self._tokenizer.decode(found[0, tokens.shape[1] :].tolist(), skip_special_tokens=True))

    def cache_bytes(self, tokens: int) -> int:
        """Memory that keys and values of so many tokens take."""
        config = self._model.config
        heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
        width = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
        size = next(self.network.parameters()).element_size()
        return 2 * config.num_hidden_layers * heads * width * size * min(tokens, self.length)

    def _tokens(self, messages: Sequence[Message]) -> list[int]:
        asked = list(messages) if self._has_system_role else without_system(messages)
        return list(self._tokenizer(_rendered(self._tokenizer, asked), add_special_tokens=False)["input_ids"])

    def _drawing(self, sampling: Sampling) -> Any:
        """transformers' LogitsProcessorList; the largest of the scores that come out of it is the next token."""
        transformers = loading.package("transformers", "let a chat model answer")
        found: list[Any] = []
        if sampling.temperature > 0:
            found.append(transformers.TemperatureLogitsWarper(float(sampling.temperature)))
            top_k, top_p = (getattr(self._generation, name, None) for name in ("top_k", "top_p"))
            if top_k:
                found.append(transformers.TopKLogitsWarper(int(top_k)))
            if top_p is not None and 0 < top_p < 1:
                found.append(transformers.TopPLogitsWarper(float(top_p)))
            found.append(_Gumbel(sampling.seed))
        return transformers.LogitsProcessorList(found)


class _Gumbel:
    """Noise with which the largest score is drawn by its probability (the Gumbel-max trick).

    transformers itself draws from the global generator.
    """

    def __init__(self, seed: int) -> None:
        self._generator = torch.Generator().manual_seed(seed)

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        """scores: [1,V]"""
        shares = torch.rand(scores.shape, generator=self._generator, dtype=torch.float64).clamp_min(1e-300)
        return scores - torch.log(-torch.log(shares)).to(scores)


class _Watch:
    """A stopping criterion that stops nothing, but says after each token, and before each layer, how many there are."""

    def __init__(self, start: int, progress: Callable[[int], None]) -> None:
        self._start, self._progress, self._tokens = start, progress, 0

    def __call__(self, input_ids: Tensor, scores: Any, **rest: Any) -> Tensor:
        self._tokens = input_ids.shape[1] - self._start
        self._progress(self._tokens)
        return torch.zeros(input_ids.shape[0], dtype=torch.bool, device=input_ids.device)

    def between(self, module: nn.Module, inputs: Any) -> None:
        """Before each layer."""
        self._progress(self._tokens)


def _rendered(tokenizer: Any, messages: Sequence[Message]) -> str:
    """The chat up to where the assistant is to speak; models that may think first are told not to."""
    return tokenizer.apply_chat_template(
        list(messages), tokenize=False, add_generation_prompt=True, enable_thinking=False
    )


def _has_system_role(tokenizer: Any, name: str) -> bool:
    """Whether the chat template takes a system prompt. ValueError without a template."""
    if not getattr(tokenizer, "chat_template", None):
        raise ValueError(
            f"{name} has no chat template, so it goes on with a text but does not answer. Choose a model whose name "
            "ends in Instruct or Chat."
        )
    jinja2 = loading.package("jinja2", "let a chat model answer")
    try:
        found = _rendered(tokenizer, [{"role": "system", "content": _PROBE}, {"role": "user", "content": "Hello"}])
    except jinja2.exceptions.TemplateError:  # some refuse the role
        return False
    return _PROBE in found  # and some drop it


def _ends(generation: Any, tokenizer: Any) -> dict[str, Any]:
    """The tokens that end an answer, and the one that fills up."""
    given = generation.eos_token_id
    listed = list(given) if isinstance(given, list | tuple) else [given]
    ends = [token for token in dict.fromkeys([*listed, tokenizer.eos_token_id]) if token is not None]
    padding = generation.pad_token_id
    if padding is None:
        padding = ends[0] if ends else None
    return {"eos_token_id": ends or None, "pad_token_id": padding}


def _config(folder: Path) -> dict[str, Any]:
    path = folder / "config.json"
    if not path.is_file():
        raise FileNotFoundError(f"There is no config.json in {folder}. Download the whole folder of the chat model.")
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is not JSON. Download the chat model again.") from error
    made_for = config.get("architectures") if isinstance(config, dict) else None
    if not any(str(name).endswith("ForCausalLM") for name in made_for or ()):
        raise ValueError(
            f"{folder.name} is a model for {', '.join(map(str, made_for or ['something else']))}, but a chat model for "
            "text (…ForCausalLM) is needed, such as Qwen2.5-7B-Instruct."
        )
    if config.get("quantization_config"):
        method = config["quantization_config"].get("quant_method", "in some way")
        raise ValueError(
            f"The weights of {folder.name} are quantised ({method}), which is not read here. Download the model "
            "without quantisation, a smaller one if need be."
        )
    return config


def _check_weights(folder: Path) -> None:
    """FileNotFoundError for missing safetensors, each part of them included; they are downloaded one by one."""
    index = folder / "model.safetensors.index.json"
    if index.is_file():
        try:
            named = set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values())
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"{index} is damaged. Download it again.") from error
        missing = sorted(name for name in named if not (folder / name).is_file())
        if missing:
            raise FileNotFoundError(
                f"{len(missing)} of {len(named)} files of weights are not in {folder}: {missing[0]} …"
            )
    elif not any(folder.glob("*.safetensors")):
        raise FileNotFoundError(f"There is no model.safetensors in {folder}. Download the safetensors of the model.")


def _network(transformers: Any, folder: Path, dtype: torch.dtype) -> Any:
    """The frozen network, every weight of it from the folder."""
    from safetensors import SafetensorError

    version = tuple(int(part) for part in transformers.__version__.split(".")[:2])
    kept = {"dtype" if version >= (4, 56) else "torch_dtype": dtype}
    try:
        network, info = transformers.AutoModelForCausalLM.from_pretrained(
            str(folder),
            local_files_only=True,
            trust_remote_code=False,
            use_safetensors=True,
            output_loading_info=True,
            **kept,
        )
    except (OSError, ValueError, RuntimeError, ImportError, SafetensorError) as error:
        line = str(error).strip().partition("\n")[0][:200]
        raise ValueError(f"The chat model in {folder} cannot be loaded: {line}") from error
    tied = network.config.tie_word_embeddings and getattr(network, "_tied_weights_keys", None) or ()
    missing = [key for key in info["missing_keys"] if key not in tied]
    unexpected = [key for key in info["unexpected_keys"] if not key.endswith("rotary_emb.inv_freq")]
    loading.all_keys(missing, unexpected, "a whole chat model", folder)
    return network.eval().requires_grad_(False)
