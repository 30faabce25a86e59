"""A pocket base with random weights, in files, for tests that need one in the host."""

from pathlib import Path

import pytest
import torch

from expressive.pocket.model import PocketEdit
from expressive.pocket.nets import PocketConfig, TextConfig, TransformerConfig, VaeConfig

SMALL = PocketConfig(
    transformer=TransformerConfig(
        num_layers=2, num_attention_heads=2, attention_head_dim=32, axes_dims_rope=(8, 12, 12), joint_attention_dim=64
    ),
    text=TextConfig(hidden_size=64, intermediate_size=128, num_attention_heads=2),
    vae=VaeConfig(base_dim=8),
)


@pytest.fixture(scope="session")
def random_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with `random.{transformer,text_encoder,vae}.safetensors`: every weight random, nothing zero."""
    torch.manual_seed(0)
    edit = PocketEdit.new(SMALL)
    for net in (edit.transformer, edit.text_encoder, edit.vae):
        for name, parameter in net.named_parameters():
            parameter.data.add_(0.05 * torch.randn_like(parameter))
            if "norm" in name and parameter.ndim == 1 and "bias" not in name:
                parameter.data.add_(0.2 * torch.randn_like(parameter))
    folder = tmp_path_factory.mktemp("models")
    edit.save(folder, "random", {"modelspec.title": "random", "pocket.seed": 0})
    return folder
