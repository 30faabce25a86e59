"""The configuration of LoRA training."""

from pathlib import Path

import pytest

from expressive.finetune.config import Config, read_config
from expressive.settings import write_settings
from launcher.places import ROOT

SHIPPED = ROOT / "trainers" / "configs" / "pixelsmile.toml"
SMALLEST = 'name = "x"\n[base]\nkind = "pocket-edit"\n[data]\nsource = "a.jsonl"\n'


@pytest.fixture
def written(tmp_path: Path) -> Path:
    path = tmp_path / "x.toml"
    path.write_text(SMALLEST, encoding="utf-8")
    return path


def test_the_shipped_configuration_is_the_papers_table(written: Path) -> None:
    found = read_config(SHIPPED)
    assert (found.lora.rank, found.lora.alpha, found.lora.dropout) == (64, 128.0, 0.0)
    assert (found.optimiser.lr, found.optimiser.betas, found.optimiser.weight_decay) == (1e-4, (0.9, 0.999), 1e-3)
    assert (found.optimiser.schedule, found.optimiser.warm_up, found.optimiser.eps) == ("cosine", 500, 1e-8)
    assert (found.run.epochs, found.run.batch, found.run.accumulate) == (100, 4, 1)
    assert (found.objective.contrast.weight, found.objective.identity.weight) == (1.0, 0.1)
    assert found.objective.contrast.constant() == {"temperature": 0.07} and found.objective.contrast.symmetric
    own = read_config(written)
    for table in ("lora", "optimiser", "memory", "run", "samples"):
        assert getattr(own, table) == getattr(found, table), "the defaults are the same"


def test_changes_on_the_command_line(written: Path) -> None:
    found = read_config(
        written, ["optimiser.lr=2e-4", "base.kind=sdxl", "samples.alphas=[0, 1]", "data.source=b c.jsonl"]
    )
    assert found.optimiser.lr == 2e-4 and found.base.kind == "sdxl" and found.samples.alphas == (0.0, 1.0)
    assert found.data.source == Path("b c.jsonl")
    for wrong in ("optimiser.lr", "=3", "name.x=1"):
        with pytest.raises(ValueError, match="looks like|no table"):
            read_config(written, [wrong])


def test_every_mistake_is_named_with_its_place(written: Path) -> None:
    with pytest.raises(ValueError, match="3 mistakes") as caught:
        read_config(written, ["optimiser.lr=-1", "lora.rnak=8", "run.batch=x"])
    for place in ("optimiser.lr", "lora.rnak", "run.batch", "'x'"):
        assert place in str(caught.value)
    with pytest.raises(FileNotFoundError, match="no configuration"):
        read_config(written.with_name("y.toml"))
    written.write_text("name =", encoding="utf-8")
    with pytest.raises(ValueError, match="is not TOML"):
        read_config(written)


def test_anime_turns_identity_off_unless_it_is_asked_for(written: Path) -> None:
    anime = read_config(written, ["objective.domain=anime"]).objective
    assert (anime.contrast.weight, anime.identity.weight) == (0.05, 0.0)
    shipped = read_config(SHIPPED, ["objective.domain=anime"]).objective
    assert (shipped.contrast.weight, shipped.identity.weight) == (0.05, 0.0)
    own = read_config(written, ["objective.domain=anime", "objective.contrast.weight=0.3"]).objective
    assert (own.contrast.weight, own.identity.weight) == (0.3, 0.0)


def test_what_is_written_is_read_again(written: Path, tmp_path: Path) -> None:
    found = read_config(written, ["objective.domain=anime", "base.path=models", "lora.targets=['to_q']"])
    write_settings(found, tmp_path / "out" / "resolved.toml")
    again = read_config(tmp_path / "out" / "resolved.toml")
    assert again == found and isinstance(again, Config)
