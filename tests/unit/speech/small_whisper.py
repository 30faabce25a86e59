"""A Whisper in the exact layouts of openai/whisper-tiny and of OpenAI's tiny.pt, made small by the real library.

Its parts are 2 seconds long where those of the real one are 30.
"""

import re
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor

LAYERS, HEADS, WIDTH, POSITIONS = 2, 2, 16, 100
_OPENAI = {
    "layers.": "blocks.",
    "self_attn.q_proj": "attn.query",
    "self_attn.k_proj": "attn.key",
    "self_attn.v_proj": "attn.value",
    "self_attn.out_proj": "attn.out",
    "self_attn_layer_norm": "attn_ln",
    "final_layer_norm": "mlp_ln",
    "fc1": "mlp.0",
    "fc2": "mlp.2",
    "embed_positions.weight": "positional_embedding",
}


def write_whisper(folder: Path) -> Path:
    """config.json, model.safetensors and preprocessor_config.json; weights are random, none is zero, all fit fp16."""
    from transformers import WhisperConfig, WhisperFeatureExtractor, WhisperForConditionalGeneration

    torch.manual_seed(0)
    model = WhisperForConditionalGeneration(
        WhisperConfig(
            vocab_size=50, d_model=WIDTH, encoder_layers=LAYERS, encoder_attention_heads=HEADS,
            encoder_ffn_dim=4 * WIDTH, decoder_layers=1, decoder_attention_heads=2, decoder_ffn_dim=32,
            max_source_positions=POSITIONS, max_target_positions=8, pad_token_id=0, bos_token_id=1, eos_token_id=2,
            decoder_start_token_id=1,
        )
    )  # fmt: skip
    with torch.no_grad():
        for weight in model.parameters():
            weight.copy_(torch.randn(weight.shape).mul(0.3).half().float())
    model.save_pretrained(str(folder))
    WhisperFeatureExtractor(chunk_length=2).save_pretrained(str(folder))
    return folder


def encoder_weights(folder: Path) -> dict[str, Tensor]:
    """The encoder's weights, by transformers' names."""
    weights, own = load_file(str(folder / "model.safetensors")), "model.encoder."
    return {key.removeprefix(own): weight for key, weight in weights.items() if key.startswith(own)}


def openai_contents(folder: Path) -> dict[str, Any]:
    """What OpenAI's file of the same model holds: dims and fp16 weights, the decoder's among them."""
    state = {"decoder.token_embedding.weight": torch.ones(50, WIDTH), "decoder.blocks.0.attn.query.bias": torch.ones(4)}
    for key, weight in encoder_weights(folder).items():
        name = re.sub(r"^layer_norm\.", "ln_post.", key)
        for ours, theirs in _OPENAI.items():
            name = name.replace(ours, theirs)
        state[f"encoder.{name}"] = weight
    dims = {
        "n_mels": 80, "n_audio_ctx": POSITIONS, "n_audio_state": WIDTH, "n_audio_head": HEADS, "n_audio_layer": LAYERS,
        "n_vocab": 50, "n_text_ctx": 8, "n_text_state": WIDTH, "n_text_head": 2, "n_text_layer": 1,
    }  # fmt: skip
    return {"dims": dims, "model_state_dict": {key: weight.half() for key, weight in state.items()}}


def heard(weights: dict[str, Tensor], mel: Tensor) -> tuple[Tensor, Tensor]:
    """The encoder written out: spectra [80,200] → states before the last norm [100,3,16], and after it [100,16]."""

    def linear(x: Tensor, name: str) -> Tensor:
        return F.linear(x, weights[f"{name}.weight"], weights.get(f"{name}.bias"))

    def norm(x: Tensor, name: str) -> Tensor:
        return F.layer_norm(x, (WIDTH,), weights[f"{name}.weight"], weights[f"{name}.bias"])

    x = F.gelu(F.conv1d(mel[None], weights["conv1.weight"], weights["conv1.bias"], padding=1))
    x = F.gelu(F.conv1d(x, weights["conv2.weight"], weights["conv2.bias"], stride=2, padding=1))
    x = x[0].T + weights["embed_positions.weight"]  # [1,D,P] → [P,D]
    states = [x]
    for layer in range(LAYERS):
        at = f"layers.{layer}"
        y = norm(x, f"{at}.self_attn_layer_norm")
        q, k, v = (
            linear(y, f"{at}.self_attn.{name}_proj").unflatten(1, (HEADS, -1)).transpose(0, 1) for name in "qkv"
        )  # [H,P,D/H]
        shares = (q @ k.transpose(1, 2) / (WIDTH // HEADS) ** 0.5).softmax(2)
        x = x + linear((shares @ v).transpose(0, 1).flatten(1), f"{at}.self_attn.out_proj")
        x = x + linear(F.gelu(linear(norm(x, f"{at}.final_layer_norm"), f"{at}.fc1")), f"{at}.fc2")
        states.append(x)
    return torch.stack(states, 1), norm(x, "layer_norm")
