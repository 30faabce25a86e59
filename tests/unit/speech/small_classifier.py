"""A text classifier in the exact layout of michellejieli/emotion_text_classifier, made small by the real libraries."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

LABELS = ("anger", "disgust", "fear", "joy", "neutral", "sadness", "surprise")
TEXTS = ["I am so happy today", "this is awful, go away!", "the train leaves at nine", "why did nobody tell me?"]


def write_classifier(
    folder: Path, labels: Sequence[str] = LABELS, positions: int = 66, pickled: bool = False, **config: Any
) -> Path:
    """config.json, weights, vocab.json, merges.txt and tokenizer.json; all weights are random and none is zero."""
    from tokenizers import ByteLevelBPETokenizer
    from transformers import RobertaConfig, RobertaForSequenceClassification, RobertaTokenizerFast

    folder.mkdir(parents=True, exist_ok=True)
    words = ByteLevelBPETokenizer()
    words.train_from_iterator(TEXTS, vocab_size=300, special_tokens=["<s>", "<pad>", "</s>", "<unk>", "<mask>"])
    words.save_model(str(folder))
    tokenizer = RobertaTokenizerFast.from_pretrained(str(folder))
    tokenizer.save_pretrained(str(folder))
    torch.manual_seed(0)
    model = RobertaForSequenceClassification(
        RobertaConfig(
            vocab_size=len(tokenizer), hidden_size=16, num_hidden_layers=2, num_attention_heads=2,
            intermediate_size=32, max_position_embeddings=positions, type_vocab_size=1, pad_token_id=1,
            id2label=dict(enumerate(labels)), label2id={label: k for k, label in enumerate(labels)}, **config,
        )
    )  # fmt: skip
    with torch.no_grad():
        for weight in model.parameters():
            weight.normal_(0, 0.5)
    model.save_pretrained(str(folder))
    if pickled:
        (folder / "model.safetensors").unlink()
        torch.save(model.state_dict(), folder / "pytorch_model.bin")
    return folder
