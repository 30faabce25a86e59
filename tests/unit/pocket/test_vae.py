from typing import Any

import pytest
import torch

from expressive.pocket import latents, still
from expressive.pocket.nets import WAN_MEAN, WAN_STD, VaeConfig, build_vae


@pytest.fixture
def vae() -> Any:
    torch.manual_seed(0)
    net = build_vae(VaeConfig(base_dim=8)).eval()
    for parameter in net.parameters():  # past slices too: they must not matter
        parameter.data.add_(0.05 * torch.randn_like(parameter))
    return net


@torch.no_grad()
def test_2d_convolutions_are_the_same_function_on_single_pictures(vae: Any) -> None:
    pictures = torch.rand(2, 3, 48, 32) * 2 - 1
    posterior = vae.encode(pictures[:, :, None]).latent_dist
    moments = still.encode(vae, pictures)
    torch.testing.assert_close(moments, posterior.parameters[:, :, 0], atol=1e-5, rtol=1e-5)
    z = torch.randn(2, 16, 6, 4)
    torch.testing.assert_close(
        still.decode(vae, z).clamp(-1, 1), vae.decode(z[:, :, None]).sample[:, :, 0], atol=1e-5, rtol=1e-5
    )


def test_a_new_auto_encoder_has_nothing_in_the_past_and_keeps_it_so() -> None:
    net = build_vae(VaeConfig(base_dim=8))
    loss = still.decode(net, still.encode(net, torch.rand(1, 3, 16, 16))[:, :16]).square().mean()
    loss.backward()
    for name, module in net.named_modules():
        if isinstance(module, torch.nn.Conv3d):
            assert not module.weight[:, :, :-1].any()
            if "time_conv" not in name:
                assert module.weight.grad is not None and not module.weight.grad[:, :, :-1].any()


@torch.no_grad()
def test_folding_gives_the_latents_wans_statistics_and_leaves_pictures_alone(vae: Any) -> None:
    pictures = torch.rand(8, 3, 64, 64) * 2 - 1
    before, restored = still.encode(vae, pictures), still.decode(vae, still.encode(vae, pictures)[:, :16])
    flat = before[:, :16].double().transpose(0, 1).flatten(1)
    latents.fold_statistics(vae, flat.mean(1), flat.std(1))
    after = still.encode(vae, pictures)
    flat = after[:, :16].double().transpose(0, 1).flatten(1)
    torch.testing.assert_close(flat.mean(1).float(), torch.tensor(WAN_MEAN), atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(flat.std(1).float(), torch.tensor(WAN_STD), atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(still.decode(vae, after[:, :16]), restored, atol=1e-4, rtol=1e-4)
    ratio_before = before[:, :16].std((0, 2, 3)) / before[:, 16:].mul(0.5).exp().mean((0, 2, 3))
    ratio_after = after[:, :16].std((0, 2, 3)) / after[:, 16:].mul(0.5).exp().mean((0, 2, 3))
    torch.testing.assert_close(ratio_after, ratio_before, atol=1e-3, rtol=1e-3)


def test_normalise_and_pack_have_inverses() -> None:
    z = torch.randn(2, 16, 6, 4)
    torch.testing.assert_close(latents.denormalise(latents.normalise(z)), z)
    assert torch.equal(latents.unpack(latents.pack(z), 6, 4), z)


def test_tokens_are_packed_as_the_pipeline_packs_them() -> None:
    from diffusers.pipelines.qwenimage.pipeline_qwenimage_edit_plus import QwenImageEditPlusPipeline

    z = torch.randn(2, 16, 6, 4)
    assert torch.equal(latents.pack(z), QwenImageEditPlusPipeline._pack_latents(z[:, :, None], 2, 16, 6, 4))
