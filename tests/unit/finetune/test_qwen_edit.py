# pyright: reportPrivateImportUsage=false, reportArgumentType=false, reportAttributeAccessIssue=false
"""Qwen-Image-Edit as a base of the trainer: a small folder of the real layout, compared with its own pipeline."""

from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from expressive.emotion.prompts import pixelsmile_prompt
from expressive.finetune import run
from expressive.finetune.config import read_config
from expressive.finetune.qwen_edit import QwenEditBase
from expressive.vision.fitting import to_tensor
from launcher.places import ROOT

from .qwen_folder import make


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("qwen"))


@pytest.fixture(scope="module")
def picture() -> Image.Image:
    pixels = torch.rand(64, 64, 3, generator=torch.Generator().manual_seed(1))
    return Image.fromarray((pixels * 255).byte().numpy())


def test_sampling_is_its_pipelines(folder: Path, picture: Image.Image, monkeypatch: pytest.MonkeyPatch) -> None:
    from diffusers.pipelines.qwenimage import pipeline_qwenimage_edit_plus as reference

    monkeypatch.setattr(reference, "VAE_IMAGE_SIZE", 64 * 64)
    monkeypatch.setattr(reference, "CONDITION_IMAGE_SIZE", 64 * 64)
    pipeline = reference.QwenImageEditPlusPipeline.from_pretrained(folder, torch_dtype=torch.float32)
    noise = torch.randn(1, 16, 8, 8, generator=torch.Generator().manual_seed(2))
    packed = pipeline._pack_latents(noise[:, :, None], 1, 16, 8, 8)
    words = pixelsmile_prompt("happy")
    pipeline.set_progress_bar_config(disable=True)
    wanted = pipeline(
        picture, words, true_cfg_scale=1.0, height=64, width=64, num_inference_steps=3, latents=packed, output_type="pt"
    ).images

    base = QwenEditBase(folder, dtype=torch.float32)
    source = to_tensor(picture)
    with torch.no_grad():
        texts = base.encode_text(words, source)[None]
        found = base.decode(base.sample(texts, None, base.encode(source), noise, 3))
    torch.testing.assert_close(found.clamp(0, 1), wanted, atol=1e-5, rtol=1e-4)


def test_an_incomplete_folder_says_what_is_missing(folder: Path, tmp_path: Path) -> None:
    for part in folder.iterdir():
        if part.name != "processor":
            (tmp_path / part.name).mkdir()
    with pytest.raises(FileNotFoundError, match="processor is missing. Download"):
        QwenEditBase(tmp_path)


def test_the_text_encoder_is_freed(folder: Path, picture: Image.Image) -> None:
    base = QwenEditBase(folder)
    base.forget_encoder()
    with pytest.raises(RuntimeError, match="freed already"):
        base.encode_text("a", to_tensor(picture))


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two people with one confusing pair each, as PixelSmile's JSON lines."""
    from .drawn_pairs import draw

    return draw(tmp_path_factory.mktemp("ffe"), people=2, words=(("fear", "surprised"),))


def test_a_lora_is_trained_and_fits_the_transformer(folder: Path, pairs: Path, tmp_path: Path) -> None:
    """With block weights on the device and with weights that wait, the same file comes out."""
    from diffusers import QwenImageTransformer2DModel

    files = []
    for offload in ("false", "true"):
        config = read_config(
            ROOT / "trainers" / "configs" / "pixelsmile.toml",
            [
                f"base.path={folder}", f"data.source={pairs}", "data.size=64", "lora.rank=2", "lora.alpha=4",
                "objective.contrast.encoder=reader", "objective.identity.encoder=reader", "memory.precision=no",
                f"memory.offload={offload}", "run.batch=2", "run.steps=2", "samples.every=2", "samples.steps=2",
                "samples.alphas=[0, 1]", "samples.expressions=['fear']", "optimiser.lr=1e-2",
            ],
        )  # fmt: skip
        file = run.run(config, tmp_path / offload, ROOT / "models")
        assert file is not None
        files.append(load_file(file))
        assert len(list((tmp_path / offload / "samples").glob("*.png"))) == 2
    plain, streamed = files
    assert plain.keys() == streamed.keys() and len(plain) == 2 * 12 * 3
    for key, value in plain.items():
        torch.testing.assert_close(value, streamed[key])
    assert any(float(value.abs().max()) > 0 for key, value in plain.items() if "lora_B" in key)
    network = QwenImageTransformer2DModel.from_pretrained(folder / "transformer")
    network.load_lora_adapter(plain, prefix="transformer")
    adapted = {name for name, module in network.named_modules() if hasattr(module, "lora_A")}
    assert len(adapted) == 24
