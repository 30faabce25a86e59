"""A chat model in the layout of Qwen2.5-7B-Instruct, made small by the real libraries."""

import json
from pathlib import Path
from typing import Any

import torch

TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
NO_SYSTEM = "{% if messages[0].role == 'system' %}{{ raise_exception('no system role') }}{% endif %}" + TEMPLATE
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
TEXTS = ["system user assistant Hello, how are you today?", "I passed the exam and I am so happy about it!"] * 3


def write_chat_model(
    folder: Path, template: str | None = TEMPLATE, positions: int = 512, tied: bool = False, **config: Any
) -> Path:
    """config.json, generation_config.json, weights in parts with an index, vocab.json, merges.txt, tokenizer.json and
    tokenizer_config.json; all weights are random."""
    from tokenizers import ByteLevelBPETokenizer
    from transformers import GenerationConfig, Qwen2Config, Qwen2ForCausalLM

    folder.mkdir(parents=True, exist_ok=True)
    words = ByteLevelBPETokenizer()
    words.train_from_iterator(TEXTS, vocab_size=320, special_tokens=SPECIAL)
    words.save_model(str(folder))
    words.save(str(folder / "tokenizer.json"))
    plain = {"lstrip": False, "normalized": False, "rstrip": False, "single_word": False, "special": True}
    described = {
        "add_prefix_space": False,
        "added_tokens_decoder": {str(k): {"content": token, **plain} for k, token in enumerate(SPECIAL)},
        "additional_special_tokens": SPECIAL[1:],
        "bos_token": None,
        "clean_up_tokenization_spaces": False,
        "eos_token": "<|im_end|>",
        "errors": "replace",
        "model_max_length": positions,
        "pad_token": "<|endoftext|>",
        "split_special_tokens": False,
        "tokenizer_class": "Qwen2Tokenizer",
        "unk_token": None,
    }
    if template is not None:
        described["chat_template"] = template
    (folder / "tokenizer_config.json").write_text(json.dumps(described), encoding="utf-8")
    torch.manual_seed(0)
    model = Qwen2ForCausalLM(
        Qwen2Config(
            vocab_size=words.get_vocab_size(), hidden_size=32, intermediate_size=64, num_hidden_layers=2,
            num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=positions, tie_word_embeddings=tied,
            bos_token_id=0, eos_token_id=2, **config,
        )
    )  # fmt: skip
    with torch.no_grad():
        for weight in model.parameters():
            weight.normal_(0, 0.3)
        output: Any = model.get_output_embeddings()
        output.weight[: len(SPECIAL)] = 0  # so that no answer ends early
    model.generation_config = GenerationConfig(
        do_sample=True, temperature=0.7, top_k=20, top_p=0.8, repetition_penalty=1.05, bos_token_id=0, pad_token_id=0,
        eos_token_id=[2, 0],
    )  # fmt: skip
    model.save_pretrained(str(folder), max_shard_size="40KB")
    return folder
