# pyright: reportPrivateImportUsage=false, reportArgumentType=false, reportAttributeAccessIssue=false, reportIndexIssue=false
"""Frozen layers that wait outside of the device compute what they did."""

import torch
from torch import nn

from expressive.finetune.lora import LoraShape, add_lora, lora_state
from expressive.finetune.offload import stream_linears
from expressive.finetune.trained import trained


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 8), nn.SiLU(), nn.Linear(8, 8, bias=False), nn.LayerNorm(8), nn.Linear(8, 3))


def test_outputs_and_gradients_stay() -> None:
    plain, streamed = network(), network()
    x = torch.randn(4, 5, 6)
    for net in (plain, streamed):
        torch.manual_seed(1)
        add_lora(net, LoraShape(2, 4, targets=("0", "2")))
    waiting = stream_linears(streamed)
    assert waiting == 4 * (6 * 8 + 8 + 8 * 8 + 8 * 3 + 3)
    # adapters alone, and the norm, are left for the device
    sizes = {name: parameter.numel() for name, parameter in streamed.named_parameters()}
    assert sum(sizes.values()) == 2 * (6 + 8) + 2 * (8 + 8) + 16
    for net in (plain, streamed):
        for name, module in net.named_modules():
            if hasattr(module, "lora_B"):
                nn.init.normal_(module.lora_B["default"].weight, generator=torch.Generator().manual_seed(len(name)))
    inputs = [x.clone().requires_grad_(), x.clone().requires_grad_()]
    outputs = [net(given) for net, given in zip((plain, streamed), inputs, strict=True)]
    torch.testing.assert_close(*outputs)
    for output in outputs:
        output.square().sum().backward()
    torch.testing.assert_close(inputs[0].grad, inputs[1].grad)
    for a, b in zip(trained(plain).values(), trained(streamed).values(), strict=True):
        torch.testing.assert_close(a.grad, b.grad)


def test_nothing_of_a_weight_is_kept_for_the_way_back() -> None:
    """What autograd keeps is memory of the device: for a streamed layer, not the weight."""
    kept: list[torch.Size] = []
    net = network().requires_grad_(False)
    stream_linears(net)
    x = torch.randn(4, 6, requires_grad=True)
    with torch.autograd.graph.saved_tensors_hooks(lambda tensor: kept.append(tensor.shape) or tensor, lambda t: t):
        net(x)
    assert torch.Size((8, 6)) not in kept and torch.Size((8, 8)) not in kept and torch.Size((3, 8)) not in kept


def test_trained_layers_stay() -> None:
    net = network()
    net[0].requires_grad_(True)
    net[2].requires_grad_(False)
    net[4].requires_grad_(False)
    stream_linears(net)
    assert type(net[0]) is nn.Linear and type(net[2]) is not nn.Linear
    assert not lora_state(net)
