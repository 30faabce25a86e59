# pyright: reportPrivateImportUsage=false, reportArgumentType=false, reportAttributeAccessIssue=false
"""GenEAva's training: captioned pictures and Emo135's layout, on SDXL's layout and on the bundled model's."""

import importlib
import json
from pathlib import Path
from types import ModuleType

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from expressive.datasets.emo135 import LabelledPicture, read_emo135
from expressive.emotion import Emotion, vocabulary
from expressive.finetune import run
from expressive.finetune.cache import DiskCache
from expressive.finetune.captions import Captions, geneava_caption
from expressive.finetune.config import Config, read_config
from expressive.finetune.encoded import EncodedCaptions
from expressive.finetune.judges import expression_judge, face_finder
from expressive.finetune.painting import caption_losses
from expressive.finetune.pocket_xl import PocketXLBase
from expressive.finetune.sdxl import SdxlBase
from expressive.pocket.faces import Identity
from expressive.pocket.scene import Scene, picture
from launcher.places import ROOT

from .sdxl_folder import make

MODELS = ROOT / "models"
CLASSES = {"delight": 3, "grief": 1, "rage": 2}


@pytest.fixture(scope="module")
def sdxl(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("sdxl"))


@pytest.fixture(scope="module")
def emo135(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for each of three emotions, drawn, and one picture without a face."""
    folder, known = tmp_path_factory.mktemp("emo135"), {}
    for word, count in CLASSES.items():
        (folder / word).mkdir()
        for number in range(count):
            who = Identity.sample(1_600_000 + number)
            drawn = picture(Scene(who, Emotion.of(f"emo135.{word}")), 64)
            Image.fromarray(drawn).save(folder / word / f"{number}.png")
            known[f"{word}/{number}.png"] = {
                "identity": f"p{number}",
                "split": "train",
                "gender": "woman",
                "race": "Indian",
            }
    Image.new("RGB", (64, 64), "grey").save(folder / "rage" / "nobody.png")
    (folder / "identities.json").write_text(json.dumps(known), encoding="utf-8")
    return folder


def config(folder: Path, source: Path, *changes: str) -> Config:
    small = ["data.size=64", "lora.rank=2", "lora.alpha=2", "run.batch=2", "run.steps=2", "samples.every=0"]
    shipped = ROOT / "trainers" / "configs" / "geneava.pocket.toml"
    return read_config(shipped, [f"base.path={folder}", f"data.source={source}", "data.split=", *small, *changes])


def captions(how: Config, base: PocketXLBase, folder: Path) -> Captions:
    judge = expression_judge(how.painting.expression, how.data.faces.encoder, MODELS, base.device)
    finder = face_finder(how.data.faces.encoder, MODELS, base.device)
    return Captions(how, EncodedCaptions(base, DiskCache(folder)), judge, finder)


def test_the_sentence_is_geneavas() -> None:
    word = next(word for word in vocabulary.emo135() if word.word == "delight")
    told = LabelledPicture(Path("x.png"), word, about={"age": "Middle-aged", "gender": "woman", "race": "indian"})
    assert geneava_caption(told) == (
        "A photorealistic face of a middle-aged Indian woman with shoulders visible, displaying a facial expression of "
        "delight, plain white background."
    )
    assert "face of a person with" in geneava_caption(LabelledPicture(Path("x.png"), word))
    years = {"age": 62, "gender": "man"}
    assert "face of an elderly man with" in geneava_caption(LabelledPicture(Path("x.png"), word, about=years))
    drawn = geneava_caption(
        LabelledPicture(Path("x.png"), word, about={"style": "anime", "gender": "man", "background": "night city"})
    )
    assert drawn.startswith("An anime face of a man with shoulders visible, displaying")
    assert drawn.endswith(", night city background.")


def test_classes_are_seen_equally_often_and_faceless_pictures_are_left_out(emo135: Path, tmp_path: Path) -> None:
    data = captions(config(MODELS, emo135), PocketXLBase(MODELS), tmp_path)
    names = [entry.path.name for entry in read_emo135(emo135).pictures]
    left = data.prepare()
    assert [names[number] for number in left] == ["nobody.png"]
    data.leave_out(left)
    assert len(data) == 9 and data.counted.startswith("6 pictures; 64×64: 9; 3 classes of 1 to 3 pictures, each seen 3")
    assert len(data.prompts(8)) == 3 and all("Indian woman" in prompt for prompt in data.prompts(8))
    batch = data.batch([0, 4], torch.Generator().manual_seed(0))
    assert batch.latents.shape == (2, 4, 16, 16) and batch.context.shape[:2] == (2, 77) and batch.sizes.shape == (2, 6)
    assert batch.sizes[0].tolist() == [128, 128, 0, 0, 128, 128]  # eight pixels a latent pixel, as the host counts
    assert batch.expression is not None and batch.faces is None


def test_the_loss_is_the_papers_sum_and_its_gate_is_at_the_signal(emo135: Path, tmp_path: Path) -> None:
    how, base = config(MODELS, emo135, "data.faces.encoder="), PocketXLBase(MODELS)
    data = captions(how, base, tmp_path)
    judge = expression_judge(how.painting.expression, how.data.faces.encoder, MODELS, base.device)
    assert judge is not None
    batch = data.batch([0, 1, 2, 3], torch.Generator().manual_seed(0))

    def losses(*changes: str) -> dict[str, torch.Tensor]:
        told = config(MODELS, emo135, *changes).painting
        return caption_losses(base, batch, told, judge, torch.Generator().manual_seed(1))

    found = losses("painting.min_snr=0.0")
    assert found.keys() == {"loss", "noise", "expression"} and float(found["expression"]) > 0
    torch.testing.assert_close(found["loss"], found["noise"] + found["expression"])
    assert float(losses("painting.expression.least_signal=1.0")["expression"]) == 0
    assert losses("painting.expression.weight=0.0").keys() == {"loss", "noise"}


def test_the_finished_file_applies_in_the_host(emo135: Path, tmp_path: Path, pack: ModuleType) -> None:
    import comfy.lora

    how = config(MODELS, emo135, "samples.every=2", "samples.steps=2", "optimiser.lr=1e-2")
    file = run.run(how, tmp_path, MODELS)
    assert file is not None
    host = importlib.import_module(f"{pack.__name__}.nodes.pocket_xl_host")
    model = host.load_base("pocket-xl", MODELS)[0]
    weights = load_file(file)
    patches = comfy.lora.load_lora(weights, comfy.lora.model_lora_keys_unet(model.model, {}))
    assert len(patches) == len(weights) // 3 > 0
    assert any(float(weight.abs().max()) > 0 for key, weight in weights.items() if "lora_up" in key)
    assert len(list((tmp_path / "samples").glob("*.png"))) == 2


def test_captioned_folders_are_learned_from(sdxl: Path, tmp_path: Path) -> None:
    """On SDXL's layout, in two aspect buckets, without a judge."""
    for number, size in enumerate(((64, 64), (64, 64), (128, 64))):
        Image.effect_noise(size, 50).convert("RGB").save(tmp_path / f"{number}.png")
        (tmp_path / f"{number}.txt").write_text(f"a face, number {number}", encoding="utf-8")
    how = config(
        sdxl, tmp_path, "base.kind=sdxl", "data.kind=captions", "data.buckets=true", "data.faces.encoder=",
        "painting.expression.weight=0.0", "data.size=128", "samples.every=2", "samples.steps=2",
    )  # fmt: skip
    file = run.run(how, tmp_path / "out", MODELS)
    assert file is not None
    learned = [weight for key, weight in load_file(file).items() if key.endswith("lora_up.weight")]
    assert learned and all(float(weight.abs().max()) > 0 for weight in learned)
    (tmp_path / "1.txt").unlink()
    with pytest.raises(ValueError, match="1.png: expected a caption in 1.txt"):
        run.run(how, tmp_path / "out", MODELS)


def test_sdxl_samples_as_its_pipeline(sdxl: Path) -> None:
    from diffusers import EulerDiscreteScheduler, StableDiffusionXLPipeline

    pipeline = StableDiffusionXLPipeline.from_pretrained(sdxl, torch_dtype=torch.float32)
    pipeline.scheduler = EulerDiscreteScheduler.from_config(pipeline.scheduler.config)
    pipeline.set_progress_bar_config(disable=True)
    noise = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    wanted = pipeline(
        "a face", negative_prompt="", height=64, width=64, num_inference_steps=3, guidance_scale=4.0, latents=noise,
        output_type="pt",
    ).images  # fmt: skip
    base = SdxlBase(sdxl, dtype=torch.float32)
    heard = [base.encode_caption(text) for text in ("a face", "")]
    context, pooled = (torch.stack(parts) for parts in zip(*heard, strict=True))
    sizes = torch.tensor(base.sizes((64, 64), (0, 0), (64, 64)))
    with torch.no_grad():
        found = base.decode(base.sample(context, pooled, sizes, noise, 3, 4.0))
    torch.testing.assert_close(found.clamp(0, 1), wanted, atol=1e-5, rtol=1e-4)
    base.forget_encoder()
    with pytest.raises(RuntimeError, match="freed already"):
        base.encode_caption("x")


def test_a_base_learns_what_it_is_for(sdxl: Path, emo135: Path, tmp_path: Path) -> None:
    for kind, data, sentence in (
        ("pocket-edit", "classes", "“pocket-edit” does not learn from captions"),
        ("pocket-xl", "pairs", "“pocket-xl” does not learn from pairs"),
    ):
        with pytest.raises(ValueError, match=sentence):
            run.run(config(sdxl, emo135, f"base.kind={kind}", f"data.kind={data}"), tmp_path, MODELS)
    with pytest.raises(FileNotFoundError, match="model_index.json is missing. Download all of stabilityai"):
        SdxlBase(tmp_path)
