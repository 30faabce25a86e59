"""PixelSmile's training from a data file to a LoRA that the host applies, on the bundled models at toy size."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from expressive.conditioning import Calibration
from expressive.finetune import pixelsmile, run
from expressive.finetune.bases import PocketEditBase
from expressive.finetune.cache import DiskCache
from expressive.finetune.checkpoints import newest_checkpoint
from expressive.finetune.config import Config, read_config
from expressive.finetune.judges import judges_of
from expressive.finetune.pairs import Pairs
from expressive.metrics.ffe_bench import EXPRESSIONS
from launcher.places import ROOT

from .drawn_pairs import draw

MODELS = ROOT / "models"


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw(tmp_path_factory.mktemp("ffe"), people=2, words=(("fear", "surprised"), ("angry", "disgust")))


def config(lines: Path, *changes: str) -> Config:
    small = ["data.size=64", "lora.rank=2", "lora.alpha=4", "run.batch=2", "run.steps=2", "samples.every=0",
             "calibration.pictures=0"]  # fmt: skip
    shipped = ROOT / "trainers" / "configs" / "pixelsmile.pocket.toml"
    return read_config(shipped, [f"data.source={lines}", *small, *changes])


def test_the_finished_file_applies_to_every_adapted_layer_in_the_host(
    lines: Path, tmp_path: Path, pack: ModuleType
) -> None:
    import importlib

    import comfy.lora

    calibrated = ("calibration.pictures=1", "calibration.alphas=[1, 0, 0.5]")
    file = run.run(
        config(lines, "samples.every=2", "samples.steps=2", "samples.alphas=[0, 1]", *calibrated), tmp_path, MODELS
    )
    assert file == tmp_path / "pocket-pixelsmile.safetensors"
    assert file is not None
    weights = load_file(file)
    host = importlib.import_module(f"{pack.__name__}.nodes.pocket_host")
    model = host.load_base("pocket-edit", MODELS)[0]
    known = comfy.lora.model_lora_keys_unet(model.model, {})
    patches = comfy.lora.load_lora(weights, known)
    blocks = len(model.model.diffusion_model.transformer_blocks)
    assert len(patches) == len(weights) // 3 == 12 * blocks
    assert any(float(weight.abs().max()) > 0 for key, weight in weights.items() if "lora_B" in key), "it has learned"
    with safe_open(file, "pt") as opened:
        told = opened.metadata()
    assert told["expressive.base"] == "pocket-edit" and "PixelSmile" in told["expressive.method"]
    measured = Calibration.from_json(told["expressive.calibration"])
    assert measured.alphas == (0.0, 0.5, 1.0) and measured.measured.keys() == set(EXPRESSIONS)
    assert all(0 <= value <= 1 for row in measured.measured.values() for value in row)
    (tmp_path / "again.toml").write_text(told["expressive.recipe"], encoding="utf-8")
    assert read_config(tmp_path / "again.toml").data.source == lines
    sheets = sorted((tmp_path / "samples").iterdir())
    assert [sheet.name for sheet in sheets] == ["step-000000.png", "step-000002.png"]
    assert list((tmp_path / "log").rglob("events*")), "TensorBoard has something to show"


def test_losses_are_the_papers_sum(lines: Path, tmp_path: Path) -> None:
    how = config(lines)
    base = PocketEditBase(MODELS)
    judges = judges_of(how.objective, MODELS)
    pairs = Pairs(how, base, judges, DiskCache(tmp_path))
    assert pairs.prepare() == 14 and pairs.prepare() == 0  # 2 sources, 8 targets, 4 texts; then all is there
    assert pairs.counted == "64×64: 4"
    batch = pairs.batch([0, 2])
    assert batch.source.shape == (2, 16, 8, 8) and batch.a.mask is None
    assert batch.a.contrast is not None and batch.a.contrast.shape[0] == 2

    def losses(objective: object) -> dict[str, torch.Tensor]:
        return pixelsmile.pair_losses(base, batch, objective, judges, torch.Generator().manual_seed(0))  # pyright: ignore

    found = losses(how.objective)
    assert found.keys() == {"loss", "flow", "contrast", "identity"}
    torch.testing.assert_close(found["loss"], found["flow"] + found["contrast"] + 0.1 * found["identity"])
    swapped = pixelsmile.PairBatch(batch.source, batch.b, batch.a)
    again = pixelsmile.pair_losses(base, swapped, how.objective, judges, torch.Generator().manual_seed(0))
    torch.testing.assert_close(again["loss"], found["loss"], atol=1e-4, rtol=1e-4)  # both sides hear the same noise
    plain = config(lines, "objective.contrast.weight=0", "objective.identity.weight=0").objective
    assert losses(plain).keys() == {"loss", "flow"}


def test_a_target_is_learned_at_its_own_score(lines: Path, tmp_path: Path) -> None:
    base, cache = PocketEditBase(MODELS), DiskCache(tmp_path)
    quiet = ["objective.contrast.weight=0", "objective.identity.weight=0"]
    scored, full = (
        Pairs(config(lines, *quiet, f"objective.scored={value}"), base, pixelsmile.Judges(), cache).batch([0]).a.texts
        for value in ("true", "false")
    )
    neutral, target = base.encode_texts(
        ["Edit the person to show a neutral expression", "Edit the person to show a fear expression"], torch.zeros(1)
    )
    torch.testing.assert_close(full[0], target)
    torch.testing.assert_close(scored[0], neutral + 0.8 * (target - neutral))


def test_texts_of_two_lengths_are_padded_and_masked() -> None:
    side = pixelsmile.Side(torch.zeros(2, 1), torch.ones(2, 3, 4))
    longer = replace(side, texts=torch.ones(2, 5, 4))
    texts, mask = pixelsmile._joined(side, longer)
    assert texts.shape == (4, 5, 4) and mask is not None
    assert mask.sum(1).tolist() == [3, 3, 5, 5] and float(texts[0, 3:].abs().sum()) == 0
    assert pixelsmile._joined(side, side)[1] is None


@pytest.mark.parametrize(
    ("broken", "sentence"),
    [
        (["base.kind=sdxl"], "“sdxl” does not learn from pairs"),
        (["data.source=nowhere.jsonl"], "nowhere.jsonl"),
        (["lora.targets=['to_x']"], "called “to_x”"),
        (["optimiser.lr=x"], "optimiser.lr"),
    ],
)
def test_the_command_ends_with_a_sentence(lines: Path, tmp_path: Path, broken: list[str], sentence: str) -> None:
    answer = command(lines, tmp_path, *broken)
    assert answer.returncode != 0 and sentence in answer.stderr and "Traceback" not in answer.stderr
    assert not list(tmp_path.glob("*.safetensors"))


def command(lines: Path, out: Path, *changes: str) -> subprocess.CompletedProcess[str]:
    shipped = ROOT / "trainers" / "configs" / "pixelsmile.pocket.toml"
    quiet = ["samples.every=0", "data.size=64", "objective.contrast.weight=0", "objective.identity.weight=0"]
    told = [f"--set={change}" for change in (f"data.source={lines}", *quiet, *changes)]
    return subprocess.run(
        [sys.executable, "trainers/train_lora.py", "--config", str(shipped), "--out", str(out), *told, "--dry-run"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_a_bad_row_names_its_file_and_line(lines: Path, tmp_path: Path) -> None:
    rows = lines.read_text(encoding="utf-8").splitlines()
    bad = lines.with_name("bad.jsonl")
    bad.write_text("\n".join([rows[0], rows[1].replace('"angry": 0.8', '"angry": 3')]), encoding="utf-8")
    answer = command(bad, tmp_path)
    assert answer.returncode != 0 and "bad.jsonl:2: expected the score of angry" in answer.stderr


def test_a_dry_run_leaves_no_weights(lines: Path, tmp_path: Path) -> None:
    answer = command(lines, tmp_path)
    assert answer.returncode == 0, answer.stderr
    assert not list(tmp_path.glob("*.safetensors")) and newest_checkpoint(tmp_path / "checkpoints") is None
