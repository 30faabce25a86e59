"""LoRA files: what is trained is what the host applies."""

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file
from torch import Tensor, nn

from expressive.finetune import lora
from expressive.finetune.trained import load_trained_state, trained, trained_state
from expressive.pocket.nets import TransformerConfig, build_transformer

SHAPE = lora.LoraShape(rank=4, alpha=8.0)


class Toy(nn.Module):
    """Two blocks with an attention of one layer and an output."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(nn.ModuleDict({"to_q": nn.Linear(6, 8), "to_k": nn.Linear(6, 8)}) for _ in range(2))
        self.out = nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        blocks: Any = self.blocks
        return self.out(sum(block["to_q"](x) * block["to_k"](x) for block in blocks))


@pytest.fixture
def toy() -> Toy:
    torch.manual_seed(0)
    return Toy()


TOY = lora.LoraShape(rank=2, alpha=4.0, targets=("to_q", "to_k"))


def randomise(network: nn.Module) -> None:
    for parameter in trained(network).values():
        parameter.data = torch.randn_like(parameter)


def test_a_new_adapter_changes_nothing_and_only_it_is_trained(toy: Toy) -> None:
    x = torch.randn(5, 6)
    before = toy(x)
    layers = lora.add_lora(toy, TOY)
    assert layers == ["blocks.0.to_k", "blocks.0.to_q", "blocks.1.to_k", "blocks.1.to_q"]
    torch.testing.assert_close(toy(x), before)
    assert len(trained(toy)) == 8 and not toy.out.weight.requires_grad
    randomise(toy)
    assert (toy(x) - before).abs().max() > 0.1
    lora.set_scale(toy, 0.0)
    torch.testing.assert_close(toy(x), before)


def test_a_target_that_is_nowhere_is_a_sentence(toy: Toy) -> None:
    with pytest.raises(ValueError, match="No layer of the network is called “to_v”"):
        lora.add_lora(toy, lora.LoraShape(targets=("to_q", "to_v")))


@pytest.mark.parametrize("naming", lora.NAMINGS)
def test_the_file_holds_the_update(toy: Toy, naming: str, tmp_path: Path) -> None:
    """W + alpha / rank · B A from the file is what the network with its adapters computes."""
    plain = Toy()
    plain.load_state_dict(toy.state_dict())
    lora.add_lora(toy, TOY)
    randomise(toy)
    count = lora.save_lora(tmp_path / "x.safetensors", toy, TOY, naming, {"a": 1, "b": "c"}, torch.float32)
    assert count == 4
    how, found = lora.NAMINGS[naming], load_file(tmp_path / "x.safetensors")
    for name, module in plain.named_modules():
        if name in lora.adapted(toy):
            stem = how.stem(name)
            scale = float(found[f"{stem}.alpha"]) / found[f"{stem}.{how.down}"].shape[0]
            assert scale == 2.0
            weight: Any = module.weight
            weight.data += scale * found[f"{stem}.{how.up}"] @ found[f"{stem}.{how.down}"]
    x = torch.randn(5, 6)
    torch.testing.assert_close(plain(x), toy(x), atol=1e-5, rtol=1e-5)
    with safe_open(tmp_path / "x.safetensors", "pt") as opened:
        assert opened.metadata() == {"format": "pt", "a": "1", "b": "c"}


def test_a_state_comes_back_and_another_networks_is_refused(toy: Toy) -> None:
    lora.add_lora(toy, TOY)
    randomise(toy)
    state = trained_state(toy)
    other = Toy()
    lora.add_lora(other, TOY)
    load_trained_state(other, state)
    assert all(torch.equal(trained(toy)[name], weight) for name, weight in trained(other).items())
    with pytest.raises(ValueError, match="2 names differ, such as blocks.0.to_q"):
        load_trained_state(other, {k: v for k, v in state.items() if "blocks.0.to_q" not in k})


def test_a_file_that_would_do_nothing_is_refused(toy: Toy) -> None:
    lora.add_lora(toy, TOY)
    good = lora.for_host(lora.lora_state(toy), 4.0, "diffusers", torch.float32)
    lora.check_fit(good, toy, "diffusers")
    assert len(lora.adapted(toy)) == 4
    key = "transformer.blocks.0.to_q.lora_A.weight"
    with pytest.raises(ValueError, match="lacks transformer.blocks.0.to_q.lora_A"):
        lora.check_fit({k: v for k, v in good.items() if k != key}, toy, "diffusers")
    with pytest.raises(ValueError, match="does not fit a layer 6 → 8"):
        lora.check_fit(good | {key: torch.zeros(2, 5)}, toy, "diffusers")
    with pytest.raises(ValueError, match="1 keys of the file fit no layer, such as base_model"):
        lora.check_fit(good | {"base_model.x": torch.zeros(1)}, toy, "diffusers")


def test_pixelsmiles_targets_are_twelve_of_each_block_of_a_qwen_edit_model() -> None:
    transformer = build_transformer(
        TransformerConfig(num_layers=2, num_attention_heads=2, attention_head_dim=32, axes_dims_rope=(8, 12, 12))
    )
    blocks = len(transformer.transformer_blocks)
    assert len(lora.add_lora(transformer, SHAPE)) == 12 * blocks
