# pyright: reportArgumentType=false
"""Gen-AFFECT's training: an adapter in the bundled models."""

from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from safetensors import safe_open

from expressive.emotion import Emotion
from expressive.finetune import run
from expressive.finetune.adapter_config import AdapterConfig, read_adapter_config
from expressive.finetune.adapter_task import AdapterTask
from expressive.finetune.cache import DiskCache
from expressive.finetune.order import generator_of
from expressive.identity.adapter import load_adapter
from expressive.pocket.faces import Identity
from expressive.pocket.scene import Scene, picture
from launcher.places import ROOT

from .drawn_pairs import draw

MODELS = ROOT / "models"
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw(tmp_path_factory.mktemp("people"), 2, [("happy", "surprised"), ("sad", "sleepy")])


def config(lines: Path, base: str, *changes: str) -> AdapterConfig:
    small = ["data.size=64", "adapter.width=16", "adapter.heads=2", "adapter.every=4", "run.batch=2", "run.steps=2"]
    small += ["samples.every=2", "samples.steps=2", "samples.expressions=['happy','sad']", "run.average=0.0"]
    small += ["samples.cfg=2.0", "memory.checkpointing=true"] if base == "pocket-xl" else []
    told = [f"base.kind={base}", f"data.source={lines}", *small, *changes]
    return read_adapter_config(ROOT / "trainers" / "configs" / "gen-affect.pocket.toml", told)


@pytest.mark.parametrize("base", ["pocket-edit", "pocket-xl"])
def test_an_adapter_is_trained_and_written(lines: Path, tmp_path: Path, base: str) -> None:
    file = run.run(config(lines, base, "optimiser.lr=1e-2"), tmp_path, MODELS)
    assert file == tmp_path / "pocket-gen-affect.safetensors"
    adapter, key, told = load_adapter(file)
    assert adapter.words == ("neutral", "happy", "sad", "sleepy", "surprised"), "those that there are pictures of"
    assert all(name.startswith("reader ") for name in key.values())
    assert told["expressive.base"] == base and "Gen-AFFECT" in told["expressive.method"]
    assert adapter.config.own_queries == (base == "pocket-edit")
    moved = {"pocket-edit": "to_out.weight", "pocket-xl": "identity.weight"}[base]
    grown = [value for name, value in adapter.layers.state_dict().items() if name.endswith(moved)]
    half = [value if base == "pocket-edit" else value[value.shape[0] // 2 :] for value in grown]
    assert all(float(value.abs().max()) > 0 for value in half), "all layers have learned"
    assert float((adapter.prototypes[1] - adapter.prototypes[0]).abs().max()) > 0.1
    sheets = sorted((tmp_path / "samples").iterdir())
    assert [sheet.name for sheet in sheets] == ["step-000000.png", "step-000002.png"]
    with safe_open(file, "pt") as opened:
        (tmp_path / "again.toml").write_text(opened.metadata()["expressive.recipe"], encoding="utf-8")
    assert read_adapter_config(tmp_path / "again.toml").data.source == lines


@pytest.fixture(scope="module")
def task(lines: Path, tmp_path_factory: pytest.TempPathFactory) -> AdapterTask:
    made = AdapterTask(config(lines, "pocket-edit"), MODELS, DiskCache(tmp_path_factory.mktemp("cache")), CPU)
    assert not made.data.prepare()
    torch.manual_seed(0)
    made.change()
    made.base.use(made.base.network)
    return made


def test_people_are_seen_in_other_pictures_and_faces_on_others(task: AdapterTask) -> None:
    data = task.data
    assert len(data) == 8 and data.counted == "2 people, 4 expressions; 64×64: 8"
    batch = data.batch(list(range(8)), generator_of(0, 1))
    assert batch.latents.shape == (8, 16, 8, 8) and batch.identity.shape[0] == 8 and batch.mask.any(1).all()
    own = torch.stack([data._who(sample.view)[0][0] for sample in data._samples])
    for row in range(8):
        seen = batch.identity[row][batch.mask[row]]
        assert not any(torch.equal(one, own[row]) for one in seen), "never the picture that is to be painted"
    faces = torch.stack([data._face(sample.view) for sample in data._samples])
    for row, sample in enumerate(data._samples):
        (shown,) = (k for k in range(8) if torch.equal(faces[k], batch.expression[row]))
        other = data._samples[shown]
        assert other.word == sample.word and other.person != sample.person


def test_the_same_place_of_a_training_sees_the_same(task: AdapterTask) -> None:
    a, b = (task.losses([0, 3], generator_of(0, 5)) for _ in range(2))
    assert a.keys() == {"loss", "error", "identity", "expression"}
    assert all(torch.equal(a[name], b[name]) for name in a)
    aim = task._config.objective
    total = a["error"] + aim.identity.weight * a["identity"] + aim.expression.weight * a["expression"]
    torch.testing.assert_close(a["loss"], total)


def test_only_the_adapter_gets_gradients(task: AdapterTask) -> None:
    task.losses([0, 1, 2, 3], generator_of(0, 2))["loss"].backward()
    named = dict(task.base.network.named_parameters())
    assert {name.partition(".")[0] for name, value in named.items() if value.grad is not None} == {"adapter"}
    task.base.network.zero_grad()


def test_further_pictures_of_expressions_are_seen(lines: Path, tmp_path: Path) -> None:
    for word in ("happy", "sad"):
        (tmp_path / "more" / word).mkdir(parents=True)
        scene = Scene(Identity.sample(1_700_000), Emotion.of(f"pixelsmile.{word}"), style="anime")
        Image.fromarray(picture(scene, 64)).save(tmp_path / "more" / word / "a.png")
    how = config(lines, "pocket-edit", f"data.references={tmp_path / 'more'}", "data.foreign=1.0")
    data = AdapterTask(how, MODELS, DiskCache(tmp_path / "cache"), CPU).data
    assert "2 further pictures" in data.counted
    happy = next(k for k, sample in enumerate(data._samples) if sample.word == "happy")
    foreign = data._face(data._foreign["happy"][0])
    torch.testing.assert_close(data.batch([happy], generator_of(0)).expression[0], foreign)
    (tmp_path / "none").mkdir()
    with pytest.raises(ValueError, match="no folders named after expressions"):
        AdapterTask(
            config(lines, "pocket-edit", f"data.references={tmp_path / 'none'}"), MODELS,
            DiskCache(tmp_path / "cache"), CPU,
        )  # fmt: skip


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ("data.prompt=a face", "{word}"),
        ("samples.cfg=5.0", "without guidance"),
        ("base.trained=full", "an adapter is all that is trained"),
        ("samples.alphas=[0.0, 1.0]", "samples.alphas means nothing here"),
    ],
)
def test_settings_that_would_mean_nothing_are_refused(lines: Path, change: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        config(lines, "pocket-edit", change)


def test_blocks_are_computed_twice_where_memory_is_short(lines: Path, tmp_path: Path) -> None:
    """And the gradients are the same."""
    from expressive.finetune.adapting import lighten

    def gradients(checkpointing: bool) -> dict[str, torch.Tensor]:
        made = AdapterTask(config(lines, "pocket-edit"), MODELS, DiskCache(tmp_path), CPU)
        torch.manual_seed(0)
        made.change()
        made.base.use(made.base.network)
        for parameter in made._adapted.adapter.layers.parameters():
            torch.nn.init.normal_(parameter, std=0.1, generator=torch.Generator().manual_seed(0))
        lighten(made.base.network, checkpointing, False)
        network: Any = made._adapted.network
        assert network.gradient_checkpointing == checkpointing
        made.losses([0, 1], generator_of(0, 1))["loss"].backward()
        return {name: value.grad for name, value in made._adapted.named_parameters() if value.grad is not None}

    plain, twice = gradients(False), gradients(True)
    assert plain.keys() == twice.keys() and plain
    for name in plain:
        torch.testing.assert_close(plain[name], twice[name], atol=1e-5, rtol=1e-3)
