"""Models of the host's own classes at small width, with random weights."""

from typing import Any

import torch

UNET: dict[str, Any] = {
    "image_size": 32, "in_channels": 4, "out_channels": 4, "model_channels": 32, "num_res_blocks": [1, 1],
    "channel_mult": [1, 2], "transformer_depth": [1, 1], "transformer_depth_output": [1, 1, 1, 1],
    "transformer_depth_middle": 1, "context_dim": 64, "use_spatial_transformer": True, "legacy": False,
    "use_temporal_attention": False, "use_temporal_resblock": False,
}  # fmt: skip
POOLED = 32
CONFIGS: dict[str, tuple[str, dict[str, Any]]] = {
    "SD15": ("SD15", {**UNET, "use_linear_in_transformer": False, "adm_in_channels": None, "num_heads": 2}),
    "SDXL": (
        "SDXL",
        {
            **UNET, "use_linear_in_transformer": True, "num_classes": "sequential", "adm_in_channels": POOLED + 1536,
            "num_head_channels": 16, "num_heads": -1,
        },
    ),
    "QwenImage": (
        "QwenImage",
        {
            "image_model": "qwen_image", "in_channels": 64, "num_layers": 3, "attention_head_dim": 32,
            "num_attention_heads": 2, "joint_attention_dim": 64, "axes_dims_rope": (8, 12, 12),
        },
    ),
    "Flux": (
        "Flux",
        {
            "image_model": "flux", "in_channels": 16, "out_channels": 16, "patch_size": 2, "vec_in_dim": POOLED,
            "context_in_dim": 64, "hidden_size": 64, "mlp_ratio": 2.0, "num_heads": 2, "depth": 2,
            "depth_single_blocks": 2, "axes_dim": [8, 12, 12], "theta": 10000, "qkv_bias": True,
            "guidance_embed": True, "txt_ids_dims": [],
        },
    ),
    "SD3": (
        "SD3",
        {
            "in_channels": 16, "patch_size": 2, "depth": 2, "input_size": None, "adm_in_channels": POOLED,
            "context_embedder_config": {
                "target": "torch.nn.Linear", "params": {"in_features": 64, "out_features": 128},
            },
            "num_patches": 192 * 192, "pos_embed_max_size": 192, "pos_embed_scaling_factor": None,
        },
    ),
}  # fmt: skip


def small_model(name: str) -> Any:
    """MODEL of one of CONFIGS, on the CPU, with weights that are the same each time."""
    import comfy.model_management
    import comfy.model_patcher
    import comfy.supported_models

    kind, settings = CONFIGS[name]
    config = getattr(comfy.supported_models, kind)(dict(settings))
    config.unet_config.update(settings)
    config.set_inference_dtype(torch.float32, None)
    model = config.get_model({}, "", device=None)
    generator = torch.Generator().manual_seed(0)
    for parameter in model.diffusion_model.parameters():
        with torch.no_grad():
            parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.15)
    for buffer in model.diffusion_model.buffers():
        with torch.no_grad():
            buffer.copy_(torch.randn(buffer.shape, generator=generator) * 0.15)
    return comfy.model_patcher.CoreModelPatcher(
        model,
        load_device=comfy.model_management.get_torch_device(),
        offload_device=comfy.model_management.unet_offload_device(),
    )


def latents(name: str, images: int, side: int = 8) -> torch.Tensor:
    """Noise [N,C,h,w], or with one frame."""
    shape = {"SD15": (4,), "SDXL": (4,), "QwenImage": (16, 1)}.get(name, (16,))
    return torch.randn(images, *shape, side, side, generator=torch.Generator().manual_seed(1))


def words(images: int, length: int = 5, seed: int = 2, **more: Any) -> list:
    """Random conditioning of a batch, a prompt for each image."""
    generator = torch.Generator().manual_seed(seed)
    states = torch.randn(images, length, 64, generator=generator)
    return [[states, {"pooled_output": torch.randn(images, POOLED, generator=generator), **more}]]
