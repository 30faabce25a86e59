"""The bundled text-to-picture bases as the host's own MODEL, CLIP and VAE: SDXL and Stable Diffusion 1.5, small."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import comfy.latent_formats
import comfy.model_management
import comfy.model_patcher
import comfy.sd
import comfy.sd1_clip
import comfy.sdxl_clip
import comfy.supported_models
import comfy.supported_models_base
import comfy.taesd.taesd
import comfy.utils
import torch

from ..expressive.pocket import text
from ..expressive.pocket.host_keys import with_all_words
from ..expressive.pocket.xl import prompts
from ..expressive.pocket.xl.autoencoder import PocketAutoencoder
from ..expressive.pocket.xl.config import LATENTS, AutoencoderConfig, BaseConfig
from .pocket_files import MODELS
from .pocket_weights import read_described, same_keys, weights_file


def read_weights(path: Path) -> tuple[dict[str, torch.Tensor], BaseConfig]:
    """Weights and config of one file. Raises ValueError for a file that is damaged or is no pocket model."""
    weights, described = read_described(path)
    return weights, BaseConfig.from_json(described)


def load_base(base: str, folder: Path = MODELS) -> tuple[comfy.model_patcher.ModelPatcher, comfy.sd.CLIP, comfy.sd.VAE]:
    """MODEL, CLIP and VAE of a base.

    Raises FileNotFoundError or ValueError, each with a sentence that says which file and what to do.
    """
    unet = weights_file(base, "unet", folder)
    encoder = str(weights_file(base, "text_encoder", folder))
    vae_file = str(weights_file(read_weights(unet)[1].vae_of or base, "vae", folder))
    model, clip, vae = load_unet(str(unet), vae_file), load_clip(encoder), load_vae(vae_file)
    model.cached_patcher_init = (load_unet, (str(unet), vae_file))
    clip.patcher.cached_patcher_init = (_clip_patcher, (encoder,))
    vae.patcher.cached_patcher_init = (_vae_patcher, (vae_file,))
    return model, clip, vae


class PocketLatents(comfy.latent_formats.SDXL):
    """SDXL's scale, and as many pixels per latent pixel as the pocket auto-encoder has."""

    def __init__(self) -> None:
        super().__init__()
        self.taesd_decoder_name = None  # the host's small decoders are for other latents

    def describe(self, config: AutoencoderConfig) -> None:
        """Take the ratio, the scale and the colours of previews from an auto-encoder's config."""
        self.spacial_downscale_ratio = config.ratio
        self.scale_factor = config.scale
        if config.preview:
            *factors, offset = (list(row) for row in config.preview)
            self.latent_rgb_factors, self.latent_rgb_factors_bias = factors, offset


class PocketSDXL(comfy.supported_models.SDXL):
    latent_format = PocketLatents


class PocketSD15(comfy.supported_models.SD15):
    latent_format = PocketLatents


def unet_settings(config: BaseConfig) -> dict[str, Any]:
    """The host's description of a UNet (`unet_config`): the same entries as it finds for SDXL and SD1.5."""
    shape = config.unet
    settings: dict[str, Any] = {
        "use_checkpoint": False,
        "image_size": 32,
        "in_channels": 4,
        "out_channels": 4,
        "model_channels": shape.widths[0],
        "channel_mult": [width // shape.widths[0] for width in shape.widths],
        "num_res_blocks": [shape.layers] * len(shape.widths),
        "transformer_depth": [depth for depth in shape.depths for _ in range(shape.layers)],
        "transformer_depth_middle": shape.middle,
        "transformer_depth_output": [depth for depth in shape.depths for _ in range(shape.layers + 1)],
        "context_dim": config.context_width,
        "num_heads": -1,
        "num_head_channels": shape.head,
        "use_spatial_transformer": True,
        "legacy": False,
        "use_temporal_attention": False,
        "use_temporal_resblock": False,
    }
    if config.architecture == "sdxl":
        added = {"num_classes": "sequential", "adm_in_channels": config.added_width}
        return settings | added | {"use_linear_in_transformer": True}
    return settings | {"adm_in_channels": None, "use_linear_in_transformer": False}


def load_unet(file: str, vae_file: str, disable_dynamic: bool = False) -> comfy.model_patcher.ModelPatcher:
    """A UNet's file as MODEL, of the host's classes SDXL or SD15: LoRA keys and patches are those of the real ones.

    vae_file: its auto-encoder, whose config says what the latents are like.
    """
    weights, config = read_weights(Path(file))
    settings = unet_settings(config)
    described = (PocketSDXL if config.architecture == "sdxl" else PocketSD15)(settings)
    described.unet_config.update(settings)  # SD15 asks for eight heads on every level
    cast(PocketLatents, described.latent_format).describe(read_weights(Path(vae_file))[1].vae)
    device, rest = comfy.model_management.get_torch_device(), comfy.model_management.unet_offload_device()
    dtype = comfy.model_management.unet_dtype(
        model_params=comfy.utils.calculate_parameters(weights),
        supported_dtypes=list(described.supported_inference_dtypes),
        weight_dtype=None,
    )
    manual = comfy.model_management.unet_manual_cast(dtype, device, described.supported_inference_dtypes)
    described.set_inference_dtype(dtype, manual, device=device)
    model = described.get_model(weights, "")
    patcher_class = comfy.model_patcher.ModelPatcher if disable_dynamic else comfy.model_patcher.CoreModelPatcher
    patcher = patcher_class(model, load_device=device, offload_device=rest)
    same_keys(weights, set(model.diffusion_model.state_dict()), Path(file).name)
    model.load_model_weights(weights, "", assign=patcher.is_dynamic())
    return patcher


def load_vae(file: str) -> comfy.sd.VAE:
    """An auto-encoder's file as VAE: the host's object for small auto-encoders, with ours inside."""
    weights, config = read_weights(Path(file))
    net = PocketAutoencoder(config.vae).eval()
    same_keys(weights, set(net.state_dict()), Path(file).name)
    net.load_state_dict(weights)
    vae = comfy.sd.VAE(sd=comfy.taesd.taesd.TAESD(latent_channels=LATENTS).state_dict())
    vae.first_stage_model = net.to(vae.vae_dtype)  # pyright: ignore[reportAttributeAccessIssue]: any module does
    rest = comfy.model_management.vae_offload_device()
    vae.patcher = comfy.model_patcher.ModelPatcher(net, load_device=vae.device, offload_device=rest)
    vae.disable_offload = True  # torch's own layers, which the host cannot leave half on the device: 2 MB come whole
    vae.size = None
    vae.model_size()
    vae.downscale_ratio = vae.upscale_ratio = config.vae.ratio
    return vae


def load_clip(file: str, disable_dynamic: bool = False) -> comfy.sd.CLIP:
    """A text encoder file as CLIP: SDXL's two encoders or SD1.5's one, with the pocket tokenizer."""
    weights, config = read_weights(Path(file))
    weights = with_all_words(weights, Path(file).name)
    two = config.architecture == "sdxl"
    target = comfy.supported_models_base.ClipTarget(
        PocketXLTokenizer if two else PocketSD1Tokenizer, PocketXLClip if two else PocketSD1Clip
    )
    described = {
        f"{name}_model_config": {
            "hidden_size": shape.hidden_size,
            "intermediate_size": shape.intermediate_size,
            "num_hidden_layers": shape.num_hidden_layers,
            "num_attention_heads": shape.num_attention_heads,
            "max_position_embeddings": prompts.LENGTH,
            "hidden_act": shape.hidden_act,
            "eos_token_id": prompts.END,
        }
        for name, shape in zip(("clip_l", "clip_g"), config.encoders, strict=False)
    }
    clip = comfy.sd.CLIP(
        target,
        parameters=comfy.utils.calculate_parameters(weights),
        model_options={"dtype": torch.float32, **described},  # so small that half precision saves nothing
        disable_dynamic=disable_dynamic,
    )
    wanted = {
        key
        for key in clip.cond_stage_model.state_dict()
        if not key.endswith("logit_scale") and not key.startswith("clip_l.transformer.text_projection")
    }
    same_keys(weights, wanted, Path(file).name)
    clip.load_sd(weights, full_model=True)
    return clip


class PocketWords:
    """The pocket vocabulary behind the interface of transformers' CLIPTokenizer, as far as the host uses it."""

    @classmethod
    def from_pretrained(cls, path: str, **options: object) -> PocketWords:
        """Nothing is read: the vocabulary comes with the pack."""
        del path, options
        return cls()

    def __call__(self, prompt: str) -> dict[str, list[int]]:
        return {"input_ids": [prompts.START, *text.word_tokens(prompt), prompts.END]}

    def get_vocab(self) -> dict[str, int]:
        return dict(text.vocabulary())

    def decode(self, token_ids: list[int], skip_special_tokens: bool = True) -> str:
        special = {prompts.START, prompts.END, prompts.PAD} if skip_special_tokens else set()
        return text.words([token for token in token_ids if token not in special])


def _tokenizer(key: str, embedding_directory: Any, tokenizer_data: dict) -> comfy.sd1_clip.SDTokenizer:
    """The host's tokenizer over pocket words: weights in brackets, embeddings, prompts of any length in parts of 77."""
    return comfy.sd1_clip.SDTokenizer(
        tokenizer_path="",
        tokenizer_class=cast(Any, PocketWords),
        pad_token=prompts.END if key == "clip_l" else prompts.PAD,
        embedding_directory=embedding_directory,
        embedding_key=key,
        tokenizer_data=tokenizer_data,
    )


class PocketXLTokenizer(comfy.sdxl_clip.SDXLTokenizer):
    def __init__(self, embedding_directory: Any = None, tokenizer_data: dict | None = None) -> None:
        self.clip_l = _tokenizer("clip_l", embedding_directory, tokenizer_data or {})
        self.clip_g = _tokenizer("clip_g", embedding_directory, tokenizer_data or {})


class PocketSD1Tokenizer(comfy.sd1_clip.SD1Tokenizer):
    def __init__(self, embedding_directory: Any = None, tokenizer_data: dict | None = None) -> None:
        self.clip_name, self.clip = "l", "clip_l"
        self.clip_l = _tokenizer("clip_l", embedding_directory, tokenizer_data or {})


class PocketXLClip(comfy.sdxl_clip.SDXLClipModel):
    """The host's two text encoders of SDXL, over the pocket vocabulary."""

    def __init__(self, device: Any = "cpu", dtype: Any = None, model_options: dict | None = None) -> None:
        super().__init__(device=device, dtype=dtype, model_options=model_options or {})
        _use_pocket_words(self.clip_l, prompts.END, device, dtype)
        _use_pocket_words(self.clip_g, prompts.PAD, device, dtype)


class PocketSD1Clip(comfy.sd1_clip.SD1ClipModel):
    """The host's text encoder of Stable Diffusion 1.5, over the pocket vocabulary."""

    def __init__(self, device: Any = "cpu", dtype: Any = None, model_options: dict | None = None) -> None:
        super().__init__(device=device, dtype=dtype, model_options=model_options or {})
        _use_pocket_words(self.clip_l, prompts.END, device, dtype)


def _use_pocket_words(encoder: Any, padding: int, device: Any, dtype: Any) -> None:
    width = encoder.transformer.get_input_embeddings().weight.shape[1]
    encoder.transformer.set_input_embeddings(
        encoder.operations.Embedding(len(text.vocabulary()), width, dtype=dtype, device=device)
    )
    encoder.special_tokens = {"start": prompts.START, "end": prompts.END, "pad": padding}


def _clip_patcher(file: str, disable_dynamic: bool = False) -> comfy.model_patcher.ModelPatcher:
    return load_clip(file, disable_dynamic).patcher


def _vae_patcher(file: str, disable_dynamic: bool = False) -> comfy.model_patcher.ModelPatcher:
    del disable_dynamic  # the host's VAE has no such switch
    return load_vae(file).patcher
