"""Dia and its codec in the exact layout of nari-labs/Dia-1.6B-0626 and descript/dac_44khz, small, by transformers."""

import json
from pathlib import Path
from typing import Any

import torch
from torch import nn

POSITIONS = 512  # frames that the small Dia hears: about six seconds
EOS = 1024


def write_dia(folder: Path, codec: Path | None = None, *, unified: bool = False, shards: str = "50GB") -> Path:
    """All weights are random and none is zero. codec: where it lies, within the folder if None. unified: the files of
    the processor as newer versions of transformers write them."""
    from transformers import (
        DiaConfig,
        DiaFeatureExtractor,
        DiaForConditionalGeneration,
        DiaProcessor,
        DiaTokenizer,
        GenerationConfig,
    )

    folder.mkdir(parents=True, exist_ok=True)
    small = {"num_hidden_layers": 1, "hidden_size": 16, "intermediate_size": 16, "head_dim": 8}
    torch.manual_seed(0)
    network = DiaForConditionalGeneration(
        DiaConfig(
            encoder_config={**small, "num_attention_heads": 2, "num_key_value_heads": 2},
            decoder_config={
                **small, "num_attention_heads": 2, "num_key_value_heads": 1, "cross_num_attention_heads": 2,
                "cross_head_dim": 8, "cross_num_key_value_heads": 2, "cross_hidden_size": 16,
                "max_position_embeddings": POSITIONS,
            },
        )
    )  # fmt: skip
    _fill(network)
    network.generation_config = GenerationConfig(
        do_sample=True, top_k=45, top_p=0.95, temperature=1.2, guidance_scale=3.0, max_length=3072,
        bos_token_id=1026, eos_token_id=EOS, pad_token_id=1025,
    )  # fmt: skip
    network.save_pretrained(str(folder), max_shard_size=shards)
    decoder = write_codec(codec or folder / "dac_44khz")
    extractor, tokenizer = DiaFeatureExtractor(sampling_rate=44100, hop_length=512), DiaTokenizer()
    if unified:
        decoder.name_or_path = "descript/dac_44khz"
        DiaProcessor(extractor, tokenizer, decoder).save_pretrained(str(folder))
    else:
        extractor.save_pretrained(str(folder))
        tokenizer.save_pretrained(str(folder))
        named = {"audio_tokenizer_class": "DacModel", "audio_tokenizer_name_or_path": "descript/dac_44khz"}
        (folder / "audio_tokenizer_config.json").write_text(json.dumps(named), encoding="utf-8")
    return folder


def write_codec(folder: Path) -> Any:
    """The codec, which is written too."""
    from transformers import DacConfig, DacModel

    torch.manual_seed(1)
    codec = DacModel(DacConfig(encoder_hidden_size=2, decoder_hidden_size=32, sampling_rate=44100)).eval()
    _fill(codec)
    codec.save_pretrained(str(folder))
    return codec


class EndsAfter:
    """Makes a small Dia end each of its takes after so many frames. Use it in a with statement."""

    def __init__(self, network: Any, frames: int) -> None:
        self._network, self._frames, self._done = network, frames, 0

    def __enter__(self) -> "EndsAfter":
        self._hook = self._network.logits_dense.register_forward_hook(self._after)
        return self

    def __exit__(self, *error: object) -> None:
        self._hook.remove()

    def _after(self, module: nn.Module, inputs: tuple[torch.Tensor, ...], scores: torch.Tensor) -> torch.Tensor:
        """scores: [2,L,C·V], the first codebook's first"""
        self._done += 1
        if self._done > self._frames:
            scores[..., EOS] = 1e4
        return scores


def _fill(network: nn.Module) -> None:
    """So that what comes out of a layer is about as large as what went in."""
    with torch.no_grad():
        for name, weight in network.named_parameters():
            if not name.endswith("alpha"):  # by which the codec divides
                weight.normal_(0, weight[0].numel() ** -0.5 if weight.ndim > 1 else 0.3)
