# pyright: reportPrivateImportUsage=false, reportArgumentType=false, reportAttributeAccessIssue=false
"""A folder in the layout of Qwen-Image-Edit-2511 with small random networks, for tests of real loading code."""

from pathlib import Path
from typing import Any

import torch

WORDS = ("neutral", "angry", "confused", "contempt", "confident", "disgust", "fear", "happy", "sad", "shy", "sleepy")
SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>", "<|image_pad|>")
SPECIAL += ("<|video_pad|>",)


def tokenizer() -> Any:
    """Byte-level pairs learned from PixelSmile's own prompts, so that each of their words is one token."""
    import json

    from tokenizers import Tokenizer, models, pre_tokenizers, trainers
    from transformers import Qwen2Tokenizer

    learned = Tokenizer(models.BPE())
    learned.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    letters = pre_tokenizers.ByteLevel.alphabet()
    prompts = [f"Edit the person to show a {word} expression" for word in (*WORDS, "surprised", "anxious")]
    learned.train_from_iterator(
        prompts * 2, trainers.BpeTrainer(vocab_size=2000, initial_alphabet=letters, show_progress=False)
    )
    model = json.loads(learned.to_str())["model"]
    merges = [tuple(merge) for merge in model["merges"]]
    vocab = {**model["vocab"], SPECIAL[0]: len(model["vocab"])}
    return Qwen2Tokenizer(vocab=vocab, merges=merges, extra_special_tokens=list(SPECIAL[1:]))


def make(folder: Path) -> Path:
    """Write the folder; its transformer has two blocks, latents 16 channels, texts a width of 32."""
    from diffusers import (
        AutoencoderKLQwenImage,
        FlowMatchEulerDiscreteScheduler,
        QwenImageEditPlusPipeline,
        QwenImageTransformer2DModel,
    )
    from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration, Qwen2VLProcessor
    from transformers.models.qwen2_vl.image_processing_qwen2_vl import Qwen2VLImageProcessor
    from transformers.models.qwen2_vl.video_processing_qwen2_vl import Qwen2VLVideoProcessor

    torch.manual_seed(0)
    words = tokenizer()
    ids = {name: words.convert_tokens_to_ids(name) for name in SPECIAL}
    text: dict[str, Any] = {
        "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4,
        "num_key_value_heads": 2, "vocab_size": len(words), "max_position_embeddings": 2048,
        "rope_parameters": {"rope_type": "default", "mrope_section": [1, 1, 2], "rope_theta": 1e6},
    }  # fmt: skip
    vision = {
        "depth": 2, "hidden_size": 32, "intermediate_size": 48, "num_heads": 4, "out_hidden_size": 32,
        "fullatt_block_indexes": [1], "window_size": 56,
    }  # fmt: skip
    encoder = Qwen2_5_VLForConditionalGeneration(
        Qwen2_5_VLConfig(
            text_config=text, vision_config=vision, image_token_id=ids["<|image_pad|>"],
            video_token_id=ids["<|video_pad|>"], vision_start_token_id=ids["<|vision_start|>"],
            vision_end_token_id=ids["<|vision_end|>"],
        )
    )  # fmt: skip
    small = {"shortest_edge": 28 * 28, "longest_edge": 56 * 56}
    processor = Qwen2VLProcessor(Qwen2VLImageProcessor(size=small), words, Qwen2VLVideoProcessor())
    QwenImageEditPlusPipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(
            use_dynamic_shifting=True, base_shift=0.5, max_shift=0.9, base_image_seq_len=256, max_image_seq_len=8192,
            shift_terminal=0.02,
        ),
        vae=AutoencoderKLQwenImage(base_dim=8, z_dim=16, dim_mult=[1, 2, 4, 4], num_res_blocks=1, attn_scales=[]),
        text_encoder=encoder,
        tokenizer=words,
        processor=processor,
        transformer=QwenImageTransformer2DModel(
            num_layers=2, attention_head_dim=32, num_attention_heads=2, joint_attention_dim=32,
            axes_dims_rope=(8, 12, 12), in_channels=64, out_channels=16, zero_cond_t=True,
        ),
    ).save_pretrained(folder)  # fmt: skip
    return folder
