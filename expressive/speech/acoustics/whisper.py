"""Whisper's encoder as EchoMimicV2 listens with it: the states of every layer.

Weights come from a folder as Hugging Face publishes it (openai/whisper-tiny: config.json, model.safetensors) or from a
file as OpenAI publishes it (tiny.pt). Nothing is fetched, and the decoder is not read.
"""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...encoders import loading, model_folder
from .encoder import AcousticStates
from .log_mel import COLUMNS, log_mel

PURPOSE = "a Whisper encoder"
_HERE = "transformers.models.whisper"
_CONFIG = (
    "num_mel_bins", "d_model", "encoder_layers", "encoder_attention_heads", "encoder_ffn_dim", "max_source_positions",
    "activation_function",
)  # fmt: skip
_EXTRACTOR = {"n_fft": 400, "hop_length": 160, "sampling_rate": 16000}
_UNUSED = ("decoder.", "proj_out.", "projector.", "classifier.", "layer_weights")
"""Beginnings of weights that are not the encoder's."""
_RENAMED = (
    ("blocks.", "layers."),
    (".attn.query.", ".self_attn.q_proj."),
    (".attn.key.", ".self_attn.k_proj."),
    (".attn.value.", ".self_attn.v_proj."),
    (".attn.out.", ".self_attn.out_proj."),
    (".attn_ln.", ".self_attn_layer_norm."),
    (".mlp.0.", ".fc1."),
    (".mlp.2.", ".fc2."),
    (".mlp_ln.", ".final_layer_norm."),
    ("ln_post.", "layer_norm."),
    ("positional_embedding", "embed_positions.weight"),
)
"""OpenAI's names of the encoder's weights, and transformers'."""


class WhisperEncoder:
    """AcousticEncoder.

    states: after convolutions and positions, and after each layer, before the encoder's last norm: L = layers + 1.
    pooled: the mean over time of what the encoder gives, so after that norm.
    """

    def __init__(self, name: str, network: nn.Module) -> None:
        """network: transformers' WhisperEncoder."""
        self.name, self.network = name, network
        self._encoder: Any = network
        config = self._encoder.config
        self.layers, self.width = int(config.encoder_layers) + 1, int(config.d_model)
        self._mels, self._columns = int(config.num_mel_bins), COLUMNS * int(config.max_source_positions)

    @torch.no_grad()
    def encode(self, samples: Tensor, between: Callable[[float], None]) -> AcousticStates:
        """In parts of 30 seconds, one after the other. As in EchoMimicV2, the spectra are cut at 8 decades below the
        loudest of the whole sound, and the last part is filled up with zeros."""
        mel = log_mel(samples, self._mels)
        parts = [part for part in mel.split(self._columns, dim=1) if part.shape[1] >= COLUMNS]
        states, ends = [], []
        for number, part in enumerate(parts):
            heard = part.shape[1] // COLUMNS
            full = F.pad(part, (0, self._columns - part.shape[1]))[None]  # [1,mels,3000]
            found, end = self._run(full, number, len(parts), between)
            states.append(found[:heard])
            ends.append(end[:heard])
        between(1.0)
        return AcousticStates(torch.cat(states), torch.cat(ends).mean(0))

    def _run(self, mel: Tensor, number: int, parts: int, between: Callable[[float], None]) -> tuple[Tensor, Tensor]:
        """[1,mels,3000] → states [1500,L,D], and the end [1500,D], on the CPU."""
        found: list[Tensor] = []

        def enters(layer: nn.Module, inputs: tuple[Any, ...]) -> None:
            if not found:
                found.append(inputs[0])
            between((number + len(found) / self.layers) / parts)

        def leaves(layer: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
            found.append(output[0] if isinstance(output, tuple) else output)  # a tuple before transformers 5

        # transformers' own hidden states end after the last norm
        hooks = [layer.register_forward_pre_hook(enters) for layer in self._encoder.layers]
        hooks += [layer.register_forward_hook(leaves) for layer in self._encoder.layers]
        try:
            end = self._encoder(loading.to_network(mel, self._encoder)).last_hidden_state  # [1,1500,D]
        finally:
            for hook in hooks:
                hook.remove()
        return torch.stack([one[0] for one in found], dim=1).float().cpu(), end[0].float().cpu()


def load_whisper(path: Path) -> WhisperEncoder:
    """From a folder of Hugging Face's layout or a file of OpenAI's.

    Raises FileNotFoundError, ImportError or ValueError with one sentence.
    """
    config, state = _from_folder(path) if path.is_dir() else _from_file(path)
    purpose = "listen with Whisper"
    configs = loading.package(f"{_HERE}.configuration_whisper", purpose)
    models = loading.package(f"{_HERE}.modeling_whisper", purpose)
    try:
        with torch.device("meta"):
            network: nn.Module = models.WhisperEncoder(configs.WhisperConfig(**config))
    except Exception as error:  # huggingface_hub's checks of a configuration raise plain Exceptions
        line = str(error).strip().partition("\n")[0][:200]
        raise ValueError(f"{path.name} describes no Whisper encoder: {line} Download it again.") from error
    wanted = network.state_dict()
    loading.all_keys(
        [key for key in wanted if key not in state], [key for key in state if key not in wanted], PURPOSE, path
    )
    for key, weight in wanted.items():
        if state[key].shape != weight.shape:
            raise ValueError(
                f"{path.name} is not {PURPOSE} as it describes itself: {key} has shape {list(state[key].shape)}, not "
                f"{list(weight.shape)}. Download it again."
            )
    network.load_state_dict(state, assign=True)
    return WhisperEncoder(path.name if path.is_dir() else path.stem, loading.freeze(network))


def _from_folder(folder: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Of a folder: the encoder's shape, and its weights by transformers' names."""
    from safetensors import SafetensorError, safe_open

    config = model_folder.read_config(folder, ("whisper",), "Whisper")
    _check_extractor(folder, int(config.get("num_mel_bins", 80)))
    whole = folder / "model.safetensors"
    files = [whole] if whole.is_file() else sorted(folder.glob("*.safetensors"))
    if not files:
        raise FileNotFoundError(
            f"There is no model.safetensors in {folder}. Download all files of the model, such as those of "
            "https://huggingface.co/openai/whisper-tiny."
        )
    state: dict[str, Tensor] = {}
    for file in files:
        try:
            with safe_open(file, "pt") as opened:
                for key in opened.keys():
                    name = key.removeprefix("model.")
                    if not name.startswith(_UNUSED):
                        state[name.removeprefix("encoder.")] = opened.get_tensor(key)
        except (SafetensorError, OSError) as error:
            raise ValueError(f"{file} is damaged. Download it again.") from error
    return {name: config[name] for name in _CONFIG if name in config}, state


def _check_extractor(folder: Path, mels: int) -> None:
    """ValueError where preprocessor_config.json asks for other spectra than `log_mel` makes; it may be missing."""
    path = folder / "preprocessor_config.json"
    if not path.is_file():
        return
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is not JSON. Download it again.") from error
    wanted = {**_EXTRACTOR, "feature_size": mels} if isinstance(told, dict) else {}
    for name, value in wanted.items():
        if told.get(name, value) != value:
            raise ValueError(
                f"{folder.name} hears with {name} = {told[name]}, but Whisper's encoders hear with {value}. Choose "
                "another folder."
            )


def _from_file(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Of a file: the encoder's shape, and its weights by transformers' names."""
    file = loading.file(path, "the Whisper file")
    try:
        loaded = torch.load(file, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError, KeyError) as error:
        raise ValueError(
            f"{path.name} is not a file of weights alone (or is damaged), so it is not loaded. Download it again."
        ) from error
    dims = loaded.get("dims") if isinstance(loaded, Mapping) else None
    weights = loaded.get("model_state_dict") if isinstance(loaded, Mapping) else None
    tensors = isinstance(weights, Mapping) and all(isinstance(weight, Tensor) for weight in weights.values())
    if not isinstance(dims, Mapping) or not isinstance(weights, Mapping) or not tensors:
        raise ValueError(
            f"{path.name} is not a Whisper file of OpenAI: it lacks “dims” or “model_state_dict”. Choose one such as "
            "tiny.pt."
        )
    names = ("n_mels", "n_audio_state", "n_audio_layer", "n_audio_head", "n_audio_ctx")
    if missing := [name for name in names if not isinstance(dims.get(name), int)]:
        raise ValueError(f"{path.name} is not a Whisper file of OpenAI: its dims lack {', '.join(missing)}.")
    mels, width, layers, heads, positions = (dims[name] for name in names)
    config = {
        "num_mel_bins": mels,
        "d_model": width,
        "encoder_layers": layers,
        "encoder_attention_heads": heads,
        "encoder_ffn_dim": 4 * width,
        "max_source_positions": positions,
    }
    kept = {key: weight for key, weight in weights.items() if not key.startswith(_UNUSED)}
    return config, {_renamed(key.removeprefix("encoder.")): weight for key, weight in kept.items()}


def _renamed(key: str) -> str:
    for old, new in _RENAMED:
        key = key.replace(old, new)
    return key
