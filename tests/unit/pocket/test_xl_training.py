from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from expressive.pocket.training.coarse import coarse_error
from expressive.pocket.training.collection import Collection, load_collection
from expressive.pocket.training.loop import Budget, Checkpoint
from expressive.pocket.xl import evaluate, prompts, recipe, sampling, scenes, train, train_text, train_vae
from expressive.pocket.xl.autoencoder import PocketAutoencoder
from expressive.pocket.xl.config import AutoencoderConfig, BaseConfig, EncoderConfig, UNetConfig
from expressive.pocket.xl.model import PocketXL, whole_picture
from launcher.places import ROOT

TINY = BaseConfig(
    size=64,
    unet=UNetConfig((32, 32), 1, (0, 1)),
    encoders=(EncoderConfig(32, 32, 3, 2), EncoderConfig(32, 32, 3, 2, "gelu")),
    vae=AutoencoderConfig((16, 32), (0, 1), (1, 1)),
)


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Collection:
    """Eight small pictures of people that are never trained on."""
    cache = tmp_path_factory.mktemp("drawings")
    return load_collection("faces", scenes.held_out_face, 8, cache, size=64, with_truth=False, workers=1)


@pytest.fixture(scope="module")
def base() -> PocketXL:
    torch.manual_seed(0)
    return PocketXL.new(TINY)


def test_plans_are_balanced_and_name_no_emotion_beyond_the_twelve() -> None:
    planned = [scenes.face_scene(index) for index in range(2 * 56)]
    people = [(s.identity.gender, s.identity.race, s.identity.age_group) for s in planned]
    assert all(people.count(cell) == 2 for cell in people)
    assert len({s.identity.seed for s in planned}) == len(planned)
    ids = [word.id for s in planned for word in s.emotion.words]
    assert {i.partition(".")[0] for i in ids} == {"pixelsmile"} and len(set(ids)) == 12
    assert sum(not s.emotion.weights for s in planned) == 9  # neutral: one in thirteen
    assert len({s.style for s in planned}) > 2
    assert planned[7] == scenes.face_scene(7)
    assert scenes.held_out_face(0).identity.seed >= scenes.HELD_OUT
    bodies = [scenes.body_scene(index) for index in range(20)]
    assert {s.frame for s in bodies} == {"upper_body"}
    assert sum(s.body.left.lift + s.body.right.lift > 0.25 for s in bodies) > 8


def test_features_lie_where_the_face_is_in_each_frame() -> None:
    for frame in ("face", "upper_body"):
        left, top, right, bottom = train_vae.share_box(train_vae.FACE, frame)
        weight = train_vae.feature_map(frame, 128, 3.0)[0, 0]
        inside = weight[round(top * 128) - 3 : round(bottom * 128) + 3, round(left * 128) - 3 : round(right * 128) + 3]
        assert float(weight.max()) == pytest.approx(4.0)
        assert float((weight - 1).sum()) == pytest.approx(float((inside - 1).sum()))
    corners = [train_vae.crop_corner("upper_body", 128, 64, torch.Generator().manual_seed(i)) for i in range(200)]
    assert all(0 <= x <= 64 and 0 <= y <= 64 for x, y in corners)
    centred = sum(abs(x - 32) < 12 and y < 12 for x, y in corners)
    assert centred > 60  # half of the crops look at the face


def test_statistics_give_unit_latents_and_change_no_picture(faces: Collection) -> None:
    torch.manual_seed(1)
    vae = PocketAutoencoder(TINY.vae).eval()
    pictures = np.array(faces.pictures)
    before = train_vae.encode_pictures(vae, pictures)
    decoded = vae.decode(before)
    for _ in range(2):  # what they say of themselves a second time is the same
        vae.statistics(train_vae.encode_pictures(vae, pictures))
    after = train_vae.encode_pictures(vae, pictures) * TINY.vae.scale
    torch.testing.assert_close(after.mean((0, 2, 3)), torch.zeros(4), atol=1e-4, rtol=0)
    torch.testing.assert_close(after.transpose(0, 1).flatten(1).std(1), torch.ones(4), atol=1e-3, rtol=0)
    torch.testing.assert_close(vae.decode(after / TINY.vae.scale), decoded, atol=1e-4, rtol=0)
    preview = train_vae.with_preview(TINY.vae, vae, pictures).preview
    assert len(preview) == 5 and all(len(row) == 3 for row in preview)


def test_the_auto_encoder_learns(faces: Collection, tmp_path: Path) -> None:
    torch.manual_seed(2)
    vae = PocketAutoencoder(TINY.vae)
    before = train_vae.vae_figures(vae, {"face": faces})["face_psnr"]
    how = train_vae.AutoencoderRecipe(batch=4, crop=32, lr=2e-2, average=0.5)
    source = train_vae.Source("face", faces.pictures, 1.0)
    train_vae.train_vae(vae, [source], how, Budget(steps=60), Checkpoint(tmp_path / "x.pt"))
    assert train_vae.vae_figures(vae, {"face": faces})["face_psnr"] > before + 2
    scaled = train_vae.encode_pictures(vae, faces.pictures) * TINY.vae.scale
    torch.testing.assert_close(scaled.std(), torch.tensor(1.0), atol=0.05, rtol=0)


def test_text_encoders_learn_what_captions_say(tmp_path: Path) -> None:
    """On few scenes they soon tell the expression, which every caption names, from chance (1 in 13)."""
    torch.manual_seed(3)
    base = PocketXL.new(TINY)
    how = train_text.TextRecipe(batch=16, lr=1e-2, average=0.5)
    right = train_text.train_text(base, scenes.face_scene, 26, how, Budget(steps=100), Checkpoint(tmp_path / "t.pt"))
    assert right.keys() == train_text.TOLD.keys()
    assert right["expression"] > 0.3 and right["gender"] > 0.6
    answers = train_text.told(scenes.face_scene(1))
    assert all(0 <= answer < len(values) for answer, values in zip(answers, train_text.TOLD.values(), strict=True))


def test_a_base_learns_from_captions_and_goes_on_from_its_checkpoint(
    base: PocketXL, faces: Collection, tmp_path: Path
) -> None:
    latents = train.cache_latents(base, faces, tmp_path / "latents.npy")
    assert latents.shape == (8, 4, 16, 16) and np.array_equal(
        latents, train.cache_latents(base, faces, tmp_path / "latents.npy")
    )
    how = train.BaseRecipe(batch=4, lr=3e-3, average=0.5)
    seen: list[int] = []
    before = {name: [p.clone() for p in net.parameters()] for name, net in base.modules().items()}
    arguments = (base, faces, latents, "face", how)
    train.train_base(*arguments, Budget(steps=4), Checkpoint(tmp_path / "b.pt"), seen.append)
    assert train.train_base(*arguments, Budget(steps=6), Checkpoint(tmp_path / "b.pt"), seen.append) == 6
    assert seen == [4, 6]
    moved = {
        name: any(not torch.equal(p, q) for p, q in zip(net.parameters(), before[name], strict=True))
        for name, net in base.modules().items()
    }
    assert moved == {"unet": True, "text_encoder_1": True, "text_encoder_2": True, "vae": False}


def test_sizes_say_what_was_done_to_a_picture(faces: Collection) -> None:
    picture, whole = np.array(faces.pictures[0]), whole_picture(TINY)
    assert np.array_equal(train.shown(0, picture), picture)
    blurred, cropped = train.shown(7, picture), train.shown(15, picture)
    assert blurred.shape == cropped.shape == picture.shape
    detail = [np.abs(np.diff(p.astype(float), axis=1)).mean() for p in (picture, blurred)]
    assert detail[1] < 0.9 * detail[0]
    assert train.size_conditions(0, whole, 64) == whole == (128, 128, 0, 0, 128, 128)
    assert train.size_conditions(7, whole, 64) == (48, 48, 0, 0, 128, 128)
    _, _, top, left, *_ = train.size_conditions(15, whole, 64)
    assert 0 <= top <= 32 and 0 <= left <= 32
    assert np.array_equal(cropped, train.shown(15, picture))


def test_min_snr_weighs_nearly_clean_pictures_less() -> None:
    weights = train.loss_weights(torch.tensor([0, 100, 999]), 5.0)
    assert float(weights[0]) < float(weights[1]) < float(weights[2]) == 1.0
    assert train.loss_weights(torch.tensor([0, 999]), 0.0).tolist() == [1.0, 1.0]


def test_a_wrong_colour_all_over_weighs_more_than_grain() -> None:
    grain = torch.randn(8, 4, 32, 32)
    tint = torch.ones(8, 4, 32, 32)
    assert float(coarse_error(tint)) == pytest.approx(1.0)
    assert float(coarse_error(grain)) < 0.02
    half = tint.clone()
    half[..., 16:] = -1.0  # one half too light, the other too dark
    assert float(coarse_error(half)) == pytest.approx(2 / 3)


def test_pictures_repeat_and_hear_the_prompt(base: PocketXL) -> None:
    asked = ["a happy woman", "a happy woman", "an angry man with a beard"]
    first = evaluate.generate(base, asked, [3, 3, 3], steps=2)
    assert first.shape == (3, 64, 64, 3) and first.dtype == np.uint8
    assert np.array_equal(first, evaluate.generate(base, asked, [3, 3, 3], steps=2))
    prompted = base.encode_prompts(asked)
    assert torch.equal(prompted.context[0], prompted.context[1])
    assert (prompted.context[0] - prompted.context[2]).abs().max() > 0.01
    assert prompted.pooled is not None and (prompted.pooled[0] - prompted.pooled[2]).abs().max() > 1e-3


def test_guidance_of_one_needs_no_negative(base: PocketXL) -> None:
    prompted, noise = base.encode_prompts(["a face"]), torch.randn(1, 4, 16, 16)
    plain = base.sample(prompted, noise, steps=2, cfg=1.0)
    torch.testing.assert_close(plain, base.sample(prompted, noise, 2, 1.0001), atol=1e-3, rtol=1e-3)
    empty = base.encode_prompts([""])
    assert torch.equal(base.sample(prompted, noise, 2, 3.0), base.sample(prompted, noise, 2, 3.0, empty))


def test_euler_steps_are_diffusers_euler_steps() -> None:
    from diffusers.schedulers.scheduling_euler_discrete import EulerDiscreteScheduler

    sigmas, times = sampling.schedule(5)
    theirs = EulerDiscreteScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", timestep_spacing="leading"
    )
    theirs.set_timesteps(timesteps=times.tolist())
    torch.testing.assert_close(theirs.sigmas, sigmas, atol=1e-4, rtol=1e-4)
    noise = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    x = noise * theirs.init_noise_sigma
    for time in theirs.timesteps:
        scaled = theirs.scale_model_input(x, time)
        x = theirs.step(torch.tanh(scaled), time, x, return_dict=False)[0]
    found = sampling.euler(lambda x, _: torch.tanh(x), noise, 5)
    torch.testing.assert_close(found, x, atol=1e-3, rtol=1e-3)


def test_prompts_of_too_many_words_are_a_sentence() -> None:
    assert prompts.tokenize("Happy woman!")[0] == prompts.START and prompts.tokenize("")[1:] == [prompts.END]
    rows = prompts.token_rows(["happy", ""], prompts.PAD)
    assert rows.shape == (2, 77) and rows[0, 3:].tolist() == [prompts.PAD] * 74
    with pytest.raises(ValueError, match="at most 75"):
        prompts.tokenize("happy " * 76)


@pytest.mark.parametrize("name", ["pocket-xl", "pocket-video"])
def test_the_shipped_recipes_are_whole(name: str) -> None:
    found = recipe.Recipe.read(ROOT / "trainers" / "configs" / f"{name}.toml")
    assert found.name == name
    assert found.frame in found.pictures
    assert max(found.pictures.values()) <= scenes.HELD_OUT
    assert BaseConfig.from_json(found.model.to_json()) == found.model
    assert (found.model.vae_of == "") == (found.vae_minutes > 0)


def test_a_recipe_with_unknown_settings_is_refused(tmp_path: Path) -> None:
    text = (ROOT / "trainers" / "configs" / "pocket-video.toml").read_text(encoding="utf-8")
    for wrong in (text.replace("widths", "breadths"), text.replace("upper_body =", "whole_body =")):
        (tmp_path / "x.toml").write_text(wrong, encoding="utf-8")
        with pytest.raises((TypeError, ValueError), match="breadths|whole_body"):
            recipe.Recipe.read(tmp_path / "x.toml")


def test_every_stage_leaves_what_the_next_one_needs(tmp_path: Path) -> None:
    """The whole recipe at toy size: two bases, the second with the first one's auto-encoder."""
    shipped = recipe.Recipe.read(ROOT / "trainers" / "configs" / "pocket-xl.toml")
    first = replace(
        shipped,
        name="toy-xl",
        pictures={"face": 3},
        judged=2,
        vae=replace(shipped.vae, batch=2),
        words=replace(shipped.words, batch=2),
        base=replace(shipped.base, batch=2),
        model=replace(TINY, size=128, vae=AutoencoderConfig((16, 16, 16), (0, 0, 0), (0, 0, 0))),
    )
    second = replace(
        first,
        name="toy-video",
        model=replace(first.model, architecture="sd15", encoders=TINY.encoders[:1], vae_of="toy-xl"),
    )
    models = tmp_path / "models"
    with pytest.raises(FileNotFoundError, match="run the stage “vae” first"):
        recipe.make("base", first, tmp_path / "toy-xl", models)
    for one in (first, second):
        work = tmp_path / one.name
        for stage in ("drawings", "vae", "text", "base"):
            recipe.make(stage, one, work, models, minutes=0, steps=1)
        (work / "figures.json").write_text("{}", encoding="utf-8")
        recipe.make("export", one, work, models)
    assert {file.name for file in models.iterdir()} == {
        "toy-xl.unet.safetensors", "toy-xl.text_encoder.safetensors", "toy-xl.vae.safetensors",
        "toy-video.unet.safetensors", "toy-video.text_encoder.safetensors",
    }  # fmt: skip
