"""The bundled pocket models as the host's own MODEL, CLIP and VAE."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import comfy.clip_model
import comfy.model_base
import comfy.model_management
import comfy.model_patcher
import comfy.ops
import comfy.sd
import comfy.sd1_clip
import comfy.supported_models
import comfy.supported_models_base
import comfy.utils
import torch

from ..expressive.pocket import text
from ..expressive.pocket.host_keys import with_all_words
from ..expressive.pocket.nets import PocketConfig
from .pocket_files import MODELS
from .pocket_weights import read_described, same_keys, weights_file

PARTS = ("transformer", "text_encoder", "vae")


def read_weights(path: Path) -> tuple[dict[str, torch.Tensor], PocketConfig]:
    """Weights and config of one file. Raises ValueError for a file that is damaged or is no pocket model."""
    weights, described = read_described(path)
    return weights, PocketConfig.from_json(described)


def load_base(base: str, folder: Path = MODELS) -> tuple[comfy.model_patcher.ModelPatcher, comfy.sd.CLIP, comfy.sd.VAE]:
    """MODEL, CLIP and VAE of a pocket base.

    Raises FileNotFoundError or ValueError, each with a sentence that says which file and what to do.
    """
    files = [str(weights_file(base, part, folder)) for part in PARTS]
    model, clip, vae = load_transformer(files[0]), load_clip(files[1]), load_vae(files[2])
    model.cached_patcher_init = (load_transformer, (files[0],))
    clip.patcher.cached_patcher_init = (_clip_patcher, (files[1],))
    vae.patcher.cached_patcher_init = (_vae_patcher, (files[2],))
    return model, clip, vae


def load_transformer(file: str, disable_dynamic: bool = False) -> comfy.model_patcher.ModelPatcher:
    """A transformer file as MODEL, of the host's class `QwenImage`: LoRA keys and patches are those of the real one."""
    weights, config = read_weights(Path(file))
    return build_transformer(weights, config, Path(file).name, disable_dynamic)


def build_transformer(
    weights: dict[str, torch.Tensor], config: PocketConfig, name: str, disable_dynamic: bool = False
) -> comfy.model_patcher.ModelPatcher:
    shape = config.transformer
    described = comfy.supported_models.QwenImage(
        {
            "image_model": "qwen_image",
            "in_channels": shape.in_channels,
            "num_layers": shape.num_layers,
            "attention_head_dim": shape.attention_head_dim,
            "num_attention_heads": shape.num_attention_heads,
            "joint_attention_dim": shape.joint_attention_dim,
            "axes_dims_rope": shape.axes_dims_rope,
        }
    )
    described.sampling_settings = {**described.sampling_settings, "shift": config.shift}
    device, rest = comfy.model_management.get_torch_device(), comfy.model_management.unet_offload_device()
    dtype = comfy.model_management.unet_dtype(
        model_params=comfy.utils.calculate_parameters(weights),
        supported_dtypes=list(described.supported_inference_dtypes),
        weight_dtype=None,
    )
    cast = comfy.model_management.unet_manual_cast(dtype, device, described.supported_inference_dtypes)
    described.set_inference_dtype(dtype, cast, device=device)
    model = described.get_model(weights, "")
    patcher_class = comfy.model_patcher.ModelPatcher if disable_dynamic else comfy.model_patcher.CoreModelPatcher
    patcher = patcher_class(model, load_device=device, offload_device=rest)
    same_keys(weights, set(model.diffusion_model.state_dict()), name)
    model.load_model_weights(weights, "", assign=patcher.is_dynamic())
    return patcher


def load_vae(file: str) -> comfy.sd.VAE:
    """An auto-encoder file as VAE; the host takes it for the Wan 2.1 auto-encoder that it is."""
    weights, _ = read_weights(Path(file))
    if "decoder.head.0.gamma" not in weights:
        raise ValueError(f"{Path(file).name} holds no auto-encoder. Install the pack again.")
    vae = comfy.sd.VAE(sd=weights)
    same_keys(weights, set(cast(torch.nn.Module, vae.first_stage_model).state_dict()), Path(file).name)
    return vae


def load_clip(file: str, disable_dynamic: bool = False) -> comfy.sd.CLIP:
    """A text encoder file as CLIP, with the pocket tokenizer."""
    weights, config = read_weights(Path(file))
    return build_clip(weights, config, Path(file).name, disable_dynamic)


def build_clip(
    weights: dict[str, torch.Tensor], config: PocketConfig, name: str, disable_dynamic: bool = False
) -> comfy.sd.CLIP:
    shape = config.text
    table = weights.get("text_model.embeddings.token_embedding.weight")
    if table is None:
        raise ValueError(f"{name} holds no text encoder. Install the pack again.")
    weights = with_all_words(weights, name)
    target = comfy.supported_models_base.ClipTarget(PocketTokenizer, PocketClip)
    target.params = {
        "shape": {
            "vocab_size": len(text.vocabulary()),
            "hidden_size": shape.hidden_size,
            "intermediate_size": shape.intermediate_size,
            "num_hidden_layers": shape.num_hidden_layers,
            "num_attention_heads": shape.num_attention_heads,
            "max_position_embeddings": shape.max_position_embeddings,
            "hidden_act": shape.hidden_act,
            "eos_token_id": text.PAD,
        }
    }
    clip = comfy.sd.CLIP(
        target,
        parameters=comfy.utils.calculate_parameters(weights),
        model_options={"dtype": torch.float32},  # so small that half precision saves nothing
        disable_dynamic=disable_dynamic,
    )
    same_keys(weights, set(clip.cond_stage_model.pocket.transformer.state_dict()), name)
    clip.load_sd(weights)
    return clip


class PocketTokenizer:
    """The pocket tokenizer behind the host's interface: one list of 77 (token, weight) pairs."""

    def __init__(self, embedding_directory: object = None, tokenizer_data: object = None) -> None:
        del embedding_directory, tokenizer_data

    def tokenize_with_weights(self, prompt: str, return_word_ids: bool = False, **options: object) -> dict[str, list]:
        """`options` (images, llama_template …) are of no concern to an encoder that reads text alone."""
        del options
        tokens = text.tokenize(prompt)
        padded = tokens + [text.PAD] * (text.MAX_TOKENS - len(tokens))
        if return_word_ids:
            return {"pocket": [[(token, 1.0, i + 1 if token != text.PAD else 0) for i, token in enumerate(padded)]]}
        return {"pocket": [[(token, 1.0) for token in padded]]}

    def untokenize(self, pairs: list[tuple]) -> list[tuple]:
        return [(pair, text.words([pair[0]])) for pair in pairs]

    def decode(self, token_ids: list[int], skip_special_tokens: bool = True) -> str:
        del skip_special_tokens
        return text.words(list(token_ids))

    def state_dict(self) -> dict[str, torch.Tensor]:
        return {}


class PocketTextModel(comfy.clip_model.CLIPTextModel):
    """The host's CLIP text model with as many words as the pocket vocabulary instead of CLIP's 49,408."""

    def __init__(self, config: dict[str, Any], dtype: torch.dtype, device: torch.device, operations: Any) -> None:
        super().__init__(config, dtype, device, operations)
        self.set_input_embeddings(
            operations.Embedding(config["vocab_size"], config["hidden_size"], dtype=dtype, device=device)
        )
        self.text_projection = torch.nn.Identity()  # the pooled output is the last token's hidden state


class PocketClip(comfy.sd1_clip.SD1ClipModel):
    """Hidden states of the tokens of a prompt, without the padding: [1, tokens, width]."""

    def __init__(
        self,
        shape: dict[str, Any],
        device: str = "cpu",
        dtype: torch.dtype | None = None,
        model_options: dict | None = None,
    ) -> None:
        options = {**(model_options or {}), "pocket_class": _encoder_of(shape)}
        super().__init__(device=device, dtype=dtype, model_options=options, name="pocket")

    def encode_token_weights(self, token_weight_pairs: dict[str, list]) -> tuple:
        hidden, pooled, *extra = super().encode_token_weights(token_weight_pairs)
        length = sum(pair[0] != text.PAD for pair in token_weight_pairs["pocket"][0])
        return hidden[:, :length], pooled, *extra


def _encoder_of(shape: dict[str, Any]) -> Any:
    def encoder(device: str, dtype: torch.dtype, model_options: dict) -> comfy.sd1_clip.SDClipModel:
        return comfy.sd1_clip.SDClipModel(
            device=device,
            dtype=dtype,
            textmodel_json_config=dict(shape),
            model_class=PocketTextModel,
            special_tokens={"pad": text.PAD},
            return_projected_pooled=False,
            model_options=model_options,
        )

    return encoder


def _clip_patcher(file: str, disable_dynamic: bool = False) -> comfy.model_patcher.ModelPatcher:
    return load_clip(file, disable_dynamic).patcher


def _vae_patcher(file: str, disable_dynamic: bool = False) -> comfy.model_patcher.ModelPatcher:
    del disable_dynamic  # the host's VAE has no such switch
    return load_vae(file).patcher
