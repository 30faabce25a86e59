"""PixelSmile's training from a data file to a LoRA that the host applies, on the bundled models at toy size."""

import importlib.util
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from expressive.conditioning import Calibration
from expressive.encoders import FacePoints
from expressive.finetune import run
from expressive.finetune.cache import DiskCache
from expressive.finetune.checkpoints import load_checkpoint, newest_checkpoint
from expressive.finetune.config import Config, Objective, read_config
from expressive.finetune.encoded import EncodedEdits, Judge
from expressive.finetune.judges import judges_of
from expressive.finetune.pairs import Pairs
from expressive.finetune.pixelsmile import Judges, PairBatch, Side, pair_losses
from expressive.finetune.pocket_edit import PocketEditBase
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


def prepared(how: Config, folder: Path) -> tuple[PocketEditBase, Judges, Pairs]:
    base = PocketEditBase(MODELS)
    judges = judges_of(how.objective, MODELS, base.device)
    return base, judges, Pairs(how, EncodedEdits(base, DiskCache(folder)), judges)


def test_losses_are_the_papers_sum(lines: Path, tmp_path: Path) -> None:
    how = config(lines)
    base, judges, pairs = prepared(how, tmp_path)
    assert not pairs.prepare()
    first = len(list(tmp_path.rglob("*.safetensors")))
    assert first == 31  # latents of 2 sources and 8 targets, features of 8 targets by 2 judges, 5 texts
    pairs.prepare()
    assert len(list(tmp_path.rglob("*.safetensors"))) == first, "then all is there"
    assert pairs.counted == "64×64: 4"
    batch = pairs.batch([0, 2])
    assert batch.source.shape == (2, 16, 8, 8) and batch.a.mask is None
    assert batch.a.contrast is not None and batch.a.contrast.shape[0] == 2

    def losses(objective: object, of: PairBatch = batch) -> dict[str, torch.Tensor]:
        return pair_losses(base, of, objective, judges, torch.Generator().manual_seed(0))  # pyright: ignore

    found = losses(how.objective)
    assert found.keys() == {"loss", "flow", "contrast", "identity"}
    torch.testing.assert_close(found["loss"], found["flow"] + found["contrast"] + 0.1 * found["identity"])
    swapped = losses(how.objective, PairBatch(batch.source, batch.b, batch.a))
    torch.testing.assert_close(swapped["loss"], found["loss"], atol=1e-4, rtol=1e-4)  # both sides hear the same noise
    plain = config(lines, "objective.contrast.weight=0", "objective.identity.weight=0").objective
    assert losses(plain).keys() == {"loss", "flow"}


def test_a_diverging_network_is_no_number_and_no_judge_is_asked(lines: Path, tmp_path: Path) -> None:
    how = config(lines)
    base, judges, pairs = prepared(how, tmp_path)
    batch = pairs.batch([0])
    broken = replace(batch, source=torch.full_like(batch.source, float("nan")))
    found = pair_losses(base, broken, how.objective, judges, torch.Generator().manual_seed(0))
    assert found.keys() == {"loss", "flow"} and bool(found["loss"].isnan())


def test_a_target_is_learned_at_its_own_score(lines: Path, tmp_path: Path) -> None:
    quiet = ["objective.contrast.weight=0", "objective.identity.weight=0"]
    scored, full = (
        prepared(config(lines, *quiet, f"objective.scored={value}"), tmp_path)[2].batch([0]).a.texts
        for value in ("true", "false")
    )
    base = PocketEditBase(MODELS)
    neutral, target = (
        base.encode_text(f"Edit the person to show a {word} expression", torch.zeros(1)) for word in ("neutral", "fear")
    )
    torch.testing.assert_close(full[0], target)
    torch.testing.assert_close(scored[0], neutral + 0.8 * (target - neutral))


def test_faces_are_looked_for_in_the_true_pictures_alone(lines: Path, tmp_path: Path) -> None:
    """A judge that finds faces does so once for each picture; x̂0 is read in the same places."""
    how, looked = config(lines, "objective.contrast.weight=0"), list[int]()
    base, judges, _ = prepared(how, tmp_path / "plain")
    assert judges.identity is not None
    places: list[FacePoints | None] = []

    def find(pictures: torch.Tensor) -> FacePoints:
        looked.append(len(pictures))
        count, ones = len(pictures), torch.ones(len(pictures))
        return FacePoints(torch.rand(count, 5, 2), torch.rand(count, 4), ones, ones.bool(), ones.long())

    def features(pictures: torch.Tensor, faces: FacePoints | None) -> torch.Tensor:
        places.append(faces)
        return pictures.flatten(1)[:, :4]

    finding = Judges(identity=Judge("finder", features, find))
    pairs = Pairs(how, EncodedEdits(base, DiskCache(tmp_path)), finding)
    pairs.prepare()
    batch, seen = pairs.batch([0, 1]), len(looked)
    assert seen == 8 and all(face is not None for face in places)
    pair_losses(base, batch, how.objective, finding, torch.Generator().manual_seed(0))
    assert len(looked) == seen and places[-1] is not None and batch.a.faces is not None and batch.b.faces is not None
    torch.testing.assert_close(places[-1].points, torch.cat((batch.a.faces.points, batch.b.faces.points)))


def test_texts_of_two_lengths_are_padded_and_masked() -> None:
    class Recorder:
        """As much of a base as the flow needs."""

        def velocity(self, noisy: torch.Tensor, sigma: object, texts: object, mask: object, source: object) -> object:
            self.texts, self.mask = texts, mask
            return torch.zeros_like(noisy)

    flow = Objective.model_validate({"contrast": {"weight": 0}, "identity": {"weight": 0}})
    side = Side(torch.zeros(2, 1, 2, 2), torch.ones(2, 3, 4))
    for other, lengths in ((side, None), (replace(side, texts=torch.ones(2, 5, 4)), [3, 3, 5, 5])):
        base: Any = Recorder()
        batch = PairBatch(torch.zeros(2, 1, 2, 2), side, other)
        pair_losses(base, batch, flow, Judges(), torch.Generator().manual_seed(0))
        assert base.texts.shape == (4, other.texts.shape[1], 4)
        assert base.mask is None if lengths is None else base.mask.sum(1).tolist() == lengths
        assert lengths is None or float(base.texts[0, 3:].abs().sum()) == 0


def command(lines: Path, out: Path, *changes: str) -> list[str]:
    shipped = ROOT / "trainers" / "configs" / "pixelsmile.pocket.toml"
    quiet = ["samples.every=0", "calibration.pictures=0", "data.size=64"]
    quiet += ["objective.contrast.weight=0", "objective.identity.weight=0"]
    told = [f"--set={change}" for change in (f"data.source={lines}", *quiet, *changes)]
    return ["--config", str(shipped), "--out", str(out), *told]


@pytest.fixture(scope="module")
def trainer() -> ModuleType:
    """The script as a module."""
    spec = importlib.util.spec_from_file_location("train_lora", ROOT / "trainers" / "train_lora.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("broken", "sentence"),
    [
        (["base.kind=sdxl"], "“sdxl” does not learn from pairs"),
        (["data.source=nowhere.jsonl"], "nowhere.jsonl"),
        (["lora.targets=['to_x']"], "called “to_x”"),
        (["optimiser.lr=x"], "optimiser.lr"),
        (["objective.contrast={weight = 1.0}"], "objective.contrast.encoder is not set: name the path of a CLIP"),
        (["data.size=72"], "data.size"),
    ],
)
def test_the_command_ends_with_a_sentence(
    trainer: ModuleType, lines: Path, tmp_path: Path, broken: list[str], sentence: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        trainer.main([*command(lines, tmp_path, *broken), "--dry-run"])
    assert sentence in str(ended.value)
    assert not list(tmp_path.glob("*.safetensors"))


def test_a_failed_command_says_so_to_the_shell() -> None:
    answer = subprocess.run(
        [sys.executable, "trainers/train_lora.py", "--config", "nowhere.toml"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert answer.returncode != 0 and answer.stderr.strip() == "There is no configuration nowhere.toml."


def test_a_bad_row_names_its_file_and_line(trainer: ModuleType, lines: Path, tmp_path: Path) -> None:
    rows = lines.read_text(encoding="utf-8").splitlines()
    bad = lines.with_name("bad.jsonl")
    bad.write_text("\n".join([rows[0], rows[1].replace('"angry": 0.8', '"angry": 3')]), encoding="utf-8")
    with pytest.raises(SystemExit) as ended:
        trainer.main(command(bad, tmp_path))
    assert "bad.jsonl:2: expected the score of angry" in str(ended.value)


def test_a_broken_picture_is_refused_or_skipped(lines: Path, tmp_path: Path) -> None:
    (tmp_path / "cut.png").write_bytes(b"\x89PNG and no more")
    rows = [json.loads(row) for row in lines.read_text(encoding="utf-8").splitlines()]
    for row in rows:
        for shown in (row["src"], *row["dst"]):
            shown["image"] = str(lines.parent / shown["image"])
    rows[1]["dst"][0]["image"] = str(tmp_path / "cut.png")
    broken = tmp_path / "broken.jsonl"
    broken.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    with pytest.raises(ValueError, match="cut.png: expected a picture, got a file that cannot be read"):
        prepared(config(broken), tmp_path)[2].prepare()
    pairs = prepared(config(broken, "data.bad_rows=skip"), tmp_path)[2]
    assert pairs.prepare() == [1]
    pairs.leave_out([1])
    assert len(pairs) == 3


def test_a_dry_run_leaves_an_earlier_training_as_it_was(trainer: ModuleType, lines: Path, tmp_path: Path) -> None:
    trainer.main(command(lines, tmp_path, "run.steps=1"))
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    trainer.main([*command(lines, tmp_path, "optimiser.lr=1e-5"), "--dry-run", "--restart"])
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_other_settings_are_not_gone_on_with(trainer: ModuleType, lines: Path, tmp_path: Path) -> None:
    trainer.main(command(lines, tmp_path, "run.steps=1"))
    with pytest.raises(SystemExit) as ended:
        trainer.main(command(lines, tmp_path, "run.steps=2", "optimiser.lr=1e-5", "run.seed=4"))
    assert "optimiser.lr was 0.001 and is 1e-05; run.seed was 0 and is 4. --restart begins anew" in str(ended.value)
    trainer.main(command(lines, tmp_path, "run.steps=2", "run.save_every=7"))
    newest = newest_checkpoint(tmp_path / "checkpoints")
    assert newest is not None and newest.stem == "step-00000002"


def test_two_processes_train_one_file(lines: Path, tmp_path: Path) -> None:
    """As on two devices: shared encoding, gradients of both, layers without a gradient."""
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    sheets = ("samples.every=2", "samples.steps=2", "samples.alphas=[0, 1]", "samples.expressions=['fear']")
    told = command(lines, tmp_path, "run.steps=3", "run.batch=1", "run.save_every=2", *sheets)
    env = {**os.environ, "ACCELERATE_USE_CPU": "true", "OMP_NUM_THREADS": "1"}
    answer = subprocess.run(
        [*launch, "trainers/train_lora.py", *told], cwd=ROOT, capture_output=True, text=True, check=False, env=env
    )
    assert answer.returncode == 0, answer.stderr[-2000:]
    assert (tmp_path / "pocket-pixelsmile.safetensors").is_file()
    assert len(list((tmp_path / "samples").glob("*.png"))) == 2, "one of them draws the sheets"
    newest = newest_checkpoint(tmp_path / "checkpoints")
    assert newest is not None and load_checkpoint(newest)[1]["settings"]["processes"] == 2
