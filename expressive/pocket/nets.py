"""The pocket editing model: the architectures of Qwen-Image-Edit at small width.

Three networks, each one that diffusers, transformers and ComfyUI already have:

* `AutoencoderKLQwenImage` (the Wan 2.1 auto-encoder): 128 px picture ↔ 16 × 16 × 16 latent;
* `QwenImageTransformer2DModel`: a dual-stream MMDiT that predicts v = noise − x0, source picture as reference tokens;
* `CLIPTextModel`: a causal text encoder over the pocket vocabulary.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

if TYPE_CHECKING:
    from diffusers.models.autoencoders.autoencoder_kl_qwenimage import AutoencoderKLQwenImage
    from diffusers.models.transformers.transformer_qwenimage import QwenImageTransformer2DModel
    from transformers import CLIPTextModel

# Per-channel mean and standard deviation of Wan 2.1 latents. Every host of this latent format subtracts and divides by
# exactly these, so the auto-encoder's latents are made to have them (see `latents.fold_statistics`).
WAN_MEAN = (
    -0.7571, -0.7089, -0.9113, 0.1075, -0.1745, 0.9653, -0.1517, 1.5508,
    0.4134, -0.0715, 0.5517, -0.3632, -0.1922, -0.9497, 0.2503, -0.2921,
)  # fmt: skip
WAN_STD = (
    2.8184, 1.4541, 2.3275, 2.6558, 1.2196, 1.7708, 2.6052, 2.0743,
    3.2687, 2.1526, 2.8652, 1.5579, 1.6382, 1.1253, 2.8251, 1.9160,
)  # fmt: skip


@dataclass(frozen=True)
class TransformerConfig:
    num_layers: int = 4
    num_attention_heads: int = 4
    attention_head_dim: int = 64
    axes_dims_rope: tuple[int, int, int] = (8, 28, 28)  # sums to attention_head_dim; each even
    joint_attention_dim: int = 256  # width of the text encoder
    in_channels: int = 64  # 16 latent channels × 2 × 2 patch
    out_channels: int = 16
    patch_size: int = 2


@dataclass(frozen=True)
class TextConfig:
    vocab_size: int = 0  # number of words in vocabulary.json; 0: as many as the file has
    hidden_size: int = 256
    intermediate_size: int = 512
    num_hidden_layers: int = 2
    num_attention_heads: int = 4
    max_position_embeddings: int = 77
    hidden_act: str = "quick_gelu"


@dataclass(frozen=True)
class VaeConfig:
    base_dim: int = 16  # dim_mult, blocks and z_dim are the host's fixed values for Wan 2.1
    z_dim: int = 16


@dataclass(frozen=True)
class PocketConfig:
    """Everything that is needed to build the three networks; stored as JSON in each weights file."""

    size: int = 128  # pixels, width and height of training pictures
    shift: float = 1.15  # time shift of the host's flow schedule (exp(shift) multiplies σ/(1−σ))
    transformer: TransformerConfig = field(default_factory=TransformerConfig)
    text: TextConfig = field(default_factory=TextConfig)
    vae: VaeConfig = field(default_factory=VaeConfig)

    def to_json(self) -> str:
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_values(cls, found: dict[str, Any]) -> PocketConfig:
        """From nested dictionaries, as TOML has them. Raises TypeError for a setting that does not exist."""
        parts = {"transformer": TransformerConfig, "text": TextConfig, "vae": VaeConfig}
        built = {name: _build(part, found.get(name, {})) for name, part in parts.items()}
        return _build(cls, {**found, **built})

    @classmethod
    def from_json(cls, text: str) -> PocketConfig:
        """The config that `to_json` wrote. Raises ValueError for JSON that is not one."""
        try:
            return cls.from_values(json.loads(text))
        except (TypeError, AttributeError, json.JSONDecodeError) as error:
            raise ValueError(f"This is not the description of a pocket model: {error}.") from error


def _build(cls: type, values: dict[str, Any]) -> Any:
    return cls(**{key: tuple(value) if isinstance(value, list) else value for key, value in values.items()})


def build_vae(config: VaeConfig) -> AutoencoderKLQwenImage:
    """An auto-encoder with random weights, ready to be trained on single pictures.

    A causal 3-D convolution sees a single picture through the last time slice of its kernel alone; the other slices and
    the temporal convolutions are zero and stay zero.
    """
    from diffusers.models.autoencoders.autoencoder_kl_qwenimage import AutoencoderKLQwenImage

    vae = AutoencoderKLQwenImage(
        base_dim=config.base_dim,
        z_dim=config.z_dim,
        dim_mult=[1, 2, 4, 4],
        num_res_blocks=2,
        attn_scales=[],
        temperal_downsample=[False, True, True],
    )
    with torch.no_grad():
        for name, module in vae.named_modules():
            if isinstance(module, nn.Conv3d):
                module.weight[:, :, :-1] = 0
                if name.endswith("time_conv"):
                    module.weight.zero_()
                else:  # fan-in counts one slice, not three
                    module.weight.mul_(module.kernel_size[0] ** 0.5)
    return vae


def build_transformer(config: TransformerConfig) -> QwenImageTransformer2DModel:
    """A transformer with random weights; modulations and last layer are zero, so that each block starts as identity."""
    from diffusers.models.transformers.transformer_qwenimage import QwenImageTransformer2DModel

    net = QwenImageTransformer2DModel(
        patch_size=config.patch_size,
        in_channels=config.in_channels,
        out_channels=config.out_channels,
        num_layers=config.num_layers,
        attention_head_dim=config.attention_head_dim,
        num_attention_heads=config.num_attention_heads,
        joint_attention_dim=config.joint_attention_dim,
        axes_dims_rope=config.axes_dims_rope,
    )
    with torch.no_grad():
        blocks: Any = net.transformer_blocks
        for block in blocks:
            for modulation in (block.img_mod[1], block.txt_mod[1]):
                modulation.weight.zero_()
                modulation.bias.zero_()
        last: tuple[Any, ...] = (net.norm_out.linear, net.proj_out)
        for layer in last:
            layer.weight.zero_()
            layer.bias.zero_()
    return net


def build_text_encoder(config: TextConfig, vocab_size: int | None = None) -> CLIPTextModel:
    """A causal CLIP text encoder with random weights over `vocab_size` words (default: the config's)."""
    from transformers import CLIPTextConfig, CLIPTextModel

    return CLIPTextModel(
        CLIPTextConfig(
            vocab_size=vocab_size or config.vocab_size,
            hidden_size=config.hidden_size,
            intermediate_size=config.intermediate_size,
            num_hidden_layers=config.num_hidden_layers,
            num_attention_heads=config.num_attention_heads,
            max_position_embeddings=config.max_position_embeddings,
            hidden_act=config.hidden_act,
            projection_dim=config.hidden_size,
            pad_token_id=0,
            bos_token_id=None,
            eos_token_id=0,
        )
    )
