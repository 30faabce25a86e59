"""Losses, augmentation, figures and the recipe of the face reader."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from expressive.pocket.reader import augment, drawings
from expressive.pocket.reader.anchors import ANCHORS, fit_weights
from expressive.pocket.reader.attributes import CLASSES, PROPORTIONS, class_indices, proportions, years
from expressive.pocket.reader.augment import AugmentRecipe
from expressive.pocket.reader.drawings import DrawingsConfig, held_out_plan, person, training_plan
from expressive.pocket.reader.evaluate import held_out_figures, pearson, reading_rows
from expressive.pocket.reader.labels import Labels
from expressive.pocket.reader.losses import MarginHead, contrastive_loss, heat_loss, landmark_loss
from expressive.pocket.reader.net import FaceReaderNet, ReaderConfig, parameter_count
from expressive.pocket.reader.recipe import Recipe
from expressive.pocket.reader.train import Batches, TrainRecipe, calibrate, train_reader, with_faceless
from expressive.pocket.reader.verification import equal_error_rate, verification_pairs
from expressive.pocket.scene.truth import LANDMARKS
from expressive.pocket.training.collection import ACTION_UNITS, Collection, load_collection
from expressive.pocket.training.loop import Budget, Checkpoint
from expressive.pocket.training.people import HELD_OUT
from launcher.places import ROOT

CONFIG = DrawingsConfig(people=4, each=4, held_out_people=2, held_out_each=4)


def pictures_of(count: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(count, 3, 64, 64, generator=torch.Generator().manual_seed(seed))


@pytest.fixture(scope="module")
def collection(tmp_path_factory: pytest.TempPathFactory) -> Collection:
    """Sixteen pictures of four people, drawn in this process."""
    plan = partial(drawings.reader_scene, first_seed=0, each=4, upper_bodies=0.25, kinds=("pixelsmile", "emo135"))
    return load_collection("reader-test", plan, 16, tmp_path_factory.mktemp("drawn"), workers=1)


class TestVerification:
    def test_apart_is_no_error(self) -> None:
        rate, threshold = equal_error_rate(np.array([0.8, 0.9]), np.array([0.1, 0.2, 0.3]))
        assert rate == 0 and 0.3 < threshold <= 0.8

    def test_wholly_wrong_is_all_error(self) -> None:
        assert equal_error_rate(np.array([0.1, 0.2]), np.array([0.8, 0.9]))[0] == 1

    def test_one_in_four_crossed(self) -> None:
        same, different = np.array([0.35, 0.7, 0.8, 0.9]), np.array([0.1, 0.2, 0.3, 0.75])
        rate, threshold = equal_error_rate(same, different)
        assert rate == pytest.approx(0.25) and 0.35 < threshold <= 0.7

    def test_the_same_numbers_are_a_coin(self) -> None:
        values = np.linspace(0, 1, 101)
        assert equal_error_rate(values, values)[0] == pytest.approx(0.5, abs=0.01)

    def test_normal_distributions(self) -> None:
        rng = np.random.default_rng(0)
        same, different = rng.normal(1, 0.5, 20000), rng.normal(0, 0.5, 50000)
        rate, threshold = equal_error_rate(same, different)
        assert rate == pytest.approx(0.1587, abs=0.005) and threshold == pytest.approx(0.5, abs=0.02)

    @given(st.lists(st.floats(-1, 1), min_size=1, max_size=20), st.lists(st.floats(-1, 1), min_size=1, max_size=20))
    def test_a_rate_is_a_share(self, same: list[float], different: list[float]) -> None:
        assert 0 <= equal_error_rate(np.array(same), np.array(different))[0] <= 1

    def test_needs_both_kinds(self) -> None:
        with pytest.raises(ValueError, match="both kinds"):
            equal_error_rate(np.array([]), np.array([0.1]))
        with pytest.raises(ValueError, match="finite"):
            equal_error_rate(np.array([np.nan]), np.array([0.1]))

    def test_pairs_within_and_across_conditions(self) -> None:
        embeddings = np.eye(4)[[0, 0, 1, 1]]
        same, different = verification_pairs(embeddings, np.array([5, 5, 6, 6]), np.array([0, 1, 0, 1]), across=True)
        assert same.tolist() == [1, 1] and different.tolist() == [0, 0]
        same, different = verification_pairs(embeddings, np.array([5, 5, 6, 6]), np.array([0, 1, 0, 1]), across=False)
        assert same.tolist() == [] and different.tolist() == [0, 0]


class TestLosses:
    @pytest.mark.parametrize("kind", ["arc", "cos"])
    def test_the_margin_asks_for_more(self, kind: str) -> None:
        torch.manual_seed(0)
        head, plain = MarginHead(5, 8, kind=kind), MarginHead(5, 8, margin=0.0, kind=kind)
        plain.load_state_dict(head.state_dict())
        embeddings = torch.nn.functional.normalize(torch.randn(6, 8), dim=1)
        who = torch.tensor([0, 1, 2, 3, 4, 0])
        assert float(head(embeddings, who).detach()) > float(plain(embeddings, who).detach())
        cosine = embeddings @ torch.nn.functional.normalize(head.class_embedding, dim=1).T
        wanted = torch.nn.functional.cross_entropy(head.scale * cosine, who)
        torch.testing.assert_close(plain(embeddings, who), wanted, atol=1e-3, rtol=1e-3)

    def test_an_unknown_margin_is_refused(self) -> None:
        with pytest.raises(ValueError, match="“arc” or “cos”"):
            MarginHead(5, 8, kind="sphere")

    def test_landmarks_a_pixel_off(self) -> None:
        true = torch.full((1, LANDMARKS, 3), 0.5)
        true[..., 2] = 1
        true[0, 33, 0], true[0, 263, 0] = 0.36, 0.64  # as far apart as in a portrait
        assert float(landmark_loss(true[..., :2], true)) < 0.05
        off = true[..., :2] + torch.tensor([1 / 128, 0.0])
        assert float(landmark_loss(off, true)) == pytest.approx(2.0, abs=0.01)  # once the face, once the rest
        true[0, 33, 0], true[0, 263, 0] = 0.43, 0.57
        assert float(landmark_loss(true[..., :2] + torch.tensor([1 / 128, 0.0]), true)) == pytest.approx(4, abs=0.02)

    def test_hands_that_are_not_there_do_not_count(self) -> None:
        true = torch.full((1, LANDMARKS, 3), 0.5)
        true[:, -42:] = 0
        found = true[..., :2].clone()
        found[:, -42:] = 0.9
        assert float(landmark_loss(found, true)) < 0.05

    def test_heat_is_best_at_the_anchors(self) -> None:
        true = torch.rand(1, LANDMARKS, 3, generator=torch.Generator().manual_seed(0)) * 0.8 + 0.1
        flat = torch.zeros(1, len(ANCHORS), 32 * 32).log_softmax(-1).unflatten(2, (32, 32))
        peaked = torch.zeros(1, len(ANCHORS), 32, 32)
        for place, index in enumerate(ANCHORS):
            x, y = (int(v * 32) for v in true[0, index, :2])
            peaked[0, place, y, x] = 8.0
        peaked = peaked.flatten(2).log_softmax(-1).view_as(peaked)
        assert float(heat_loss(peaked, true)) < float(heat_loss(flat, true))

    def test_pictures_may_share_a_caption(self) -> None:
        vectors = torch.nn.functional.normalize(torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]]), dim=1)
        tokens = torch.tensor([[1, 2], [1, 2], [3, 4]])
        shared = contrastive_loss(vectors, vectors, torch.tensor(20.0), tokens)
        split = contrastive_loss(vectors, vectors, torch.tensor(20.0), torch.tensor([[1, 2], [5, 6], [3, 4]]))
        torch.testing.assert_close(shared, split)
        assert float(shared) == pytest.approx(2 / 3 * np.log(2), abs=1e-3)


class TestAnchors:
    def test_weights_restore_landmarks_that_hang_on_the_anchors(self) -> None:
        rng = np.random.default_rng(0)
        shape = rng.normal(0.5, 0.1, (LANDMARKS, 2))
        points = np.zeros((200, LANDMARKS, 3))
        for row in points:  # one rigid figure, scaled, stretched and moved
            row[:, :2] = (shape - 0.5) * rng.uniform(0.5, 1.5, 2) + rng.uniform(0.3, 0.7, 2)
        points[:50, -42:] = 0
        weights = fit_weights(points, ridge=1e-9)
        assert weights.shape == (LANDMARKS, len(ANCHORS))
        np.testing.assert_allclose(weights.sum(1), 1, atol=1e-5)
        restored = weights @ points[60:][:, list(ANCHORS), :2]
        np.testing.assert_allclose(restored, points[60:, :, :2], atol=1e-3)


class TestAugmentation:
    def test_landmarks_stay_on_what_they_mark(self) -> None:
        """A bright dot on black is where its landmark says, before and after."""
        pictures, landmarks = torch.zeros(6, 3, 64, 64), torch.zeros(6, LANDMARKS, 3)
        generator = torch.Generator().manual_seed(0)
        for row in range(6):
            x, y = (int(v) for v in torch.randint(20, 44, (2,), generator=generator))
            pictures[row, :, y - 1 : y + 2, x - 1 : x + 2] = 1
            landmarks[row, 0] = torch.tensor([(x + 0.5) / 64, (y + 0.5) / 64, 1])
        recipe = AugmentRecipe(shift=0.1, scale=0.2, tilt=30)
        depth = pictures[:, 0, ::2, ::2]
        moved, points, deep = augment.move(pictures, landmarks, depth, recipe, generator)
        ticks = (torch.arange(64) + 0.5) / 64
        for row in range(6):
            light = moved[row, 0]
            centre = torch.stack(((light.sum(0) * ticks).sum(), (light.sum(1) * ticks).sum())) / light.sum()
            torch.testing.assert_close(points[row, 0, :2], centre, atol=0.006, rtol=0)
            assert float((points[row, 0] - landmarks[row, 0]).abs().max()) > 0.003
        assert not points[:, 1:].any()  # what is not there stays away
        assert deep.shape == depth.shape and moved.shape == pictures.shape

    def test_points_that_leave_are_no_longer_seen(self) -> None:
        landmarks = torch.full((4, LANDMARKS, 3), 0.999)
        landmarks[..., 2] = 1
        recipe = AugmentRecipe(shift=0.2, scale=0.0, tilt=0.0)
        _, points, _ = augment.move(
            pictures_of(4), landmarks, torch.zeros(4, 32, 32), recipe, torch.Generator().manual_seed(0)
        )
        out = (points[:, 0, :2] > 1).any(1)
        assert bool(out.any()) and bool(((points[:, 0, 2] > 0.5) == ~out).all())

    def test_degraded_pictures_are_repeatable_and_still_themselves(self) -> None:
        pictures = pictures_of(24)
        first, again = (augment.degrade(pictures, AugmentRecipe(), torch.Generator().manual_seed(3)) for _ in range(2))
        assert torch.equal(first, again) and first.shape == pictures.shape
        assert float(first.min()) >= 0 and float(first.max()) <= 1
        calm = AugmentRecipe(soft=0.0, noisy=0.0, colours=0.0)
        changed = (augment.degrade(pictures, calm, torch.Generator().manual_seed(3)) - pictures).abs().amax((1, 2, 3))
        assert float(changed.max()) < 1e-5

    def test_quantising_finely_changes_nothing_coarse(self) -> None:
        pictures = pictures_of(3)
        again = augment._quantised(pictures, torch.Generator().manual_seed(0))
        torch.testing.assert_close(again.mean((2, 3)), pictures.mean((2, 3)), atol=0.02, rtol=0)

    def test_faceless_pictures(self) -> None:
        strange = augment.faceless(pictures_of(12), torch.Generator().manual_seed(0))
        assert strange.shape == (12, 3, 64, 64) and float(strange.min()) >= 0 and float(strange.max()) <= 1


class TestDrawings:
    def test_nobody_is_in_both_sets(self) -> None:
        trained, judged = training_plan(DrawingsConfig()), held_out_plan(DrawingsConfig())
        last = DrawingsConfig().people * DrawingsConfig().each - 1
        assert trained(last).identity.seed == DrawingsConfig().people - 1 < HELD_OUT
        assert judged(0).identity.seed == HELD_OUT
        with pytest.raises(ValueError, match="held out"):
            DrawingsConfig(people=HELD_OUT + 1)

    def test_one_person_on_many_days(self) -> None:
        scenes = [training_plan(CONFIG)(index) for index in range(4)]
        assert len({scene.identity for scene in scenes}) == 1
        assert len({(scene.style, scene.pose, scene.emotion) for scene in scenes}) == 4
        assert scenes == [training_plan(CONFIG)(index) for index in range(4)]

    def test_people_have_all_attributes(self) -> None:
        people = [person(seed) for seed in range(300)]
        assert {who.hair_name for who in people} == set(CLASSES["hair"])
        assert np.stack([proportions(who) for who in people]).std(0).min() > 0.3
        numbers = np.stack([proportions(who) for who in people])
        assert numbers.shape == (300, PROPORTIONS)
        np.testing.assert_allclose(years(numbers), [who.age for who in people], atol=1e-4)

    def test_labels_say_what_the_scenes_show(self, collection: Collection) -> None:
        labels = Labels.of(collection, captions=2)
        assert labels.person.tolist() == [0] * 4 + [1] * 4 + [2] * 4 + [3] * 4
        for index in range(len(collection)):
            scene = collection.scene(index)
            assert labels.attributes[index].tolist() == class_indices(scene).tolist()
            (name, strength), *others = scene.emotion.weights
            assert not others and float(labels.strength[index]) == pytest.approx(strength)
            assert (int(labels.dominant[index]) >= 0) == name.startswith("pixelsmile.")
            assert (int(labels.emo135[index]) >= 0) == name.startswith("emo135.")
        assert labels.captions.shape == (16, 2, 77) and bool((labels.captions[:, :, 0] != 0).all())

    def test_truth_is_needed(self, collection: Collection) -> None:
        without = Collection(**{**vars(collection), "landmarks": collection.landmarks[:0]})
        with pytest.raises(ValueError, match="without it"):
            Labels.of(without)


def test_pearson() -> None:
    assert pearson(np.array([1.0, 2, 3]), np.array([2.0, 4, 6])) == pytest.approx(1)
    assert pearson(np.array([1.0, 1, 1]), np.array([2.0, 4, 6])) == 0


@torch.no_grad()
def test_batch_statistics_are_those_of_training(collection: Collection) -> None:
    """Pictures without a face are in every batch of training, and their few would shift what is read without them."""
    torch.manual_seed(0)
    net, recipe = FaceReaderNet(ReaderConfig(action_units=ACTION_UNITS)), TrainRecipe(batch=8, calibration=1)
    batches = Batches(collection, Labels.of(collection), recipe, torch.device("cpu"))
    calibrate(net, batches, recipe)
    generator = torch.Generator().manual_seed(1_000_000_007)
    shown = with_faceless(batches.draw(generator)[0], recipe.faceless, generator)
    assert len(shown) == 9 and not net.training
    seen = net.conv_in[0](shown * 4 - 2).mean((0, 2, 3))
    norm = net.conv_in[1]
    assert isinstance(norm, torch.nn.BatchNorm2d) and norm.momentum == 0.1 and norm.running_mean is not None
    torch.testing.assert_close(norm.running_mean, seen, atol=1e-4, rtol=1e-3)


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Threads that wait for each other make a net this small many times slower on a busy machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("one_thread")
def test_a_few_pictures_are_soon_learnt(collection: Collection, tmp_path: Path) -> None:
    torch.manual_seed(0)
    net = FaceReaderNet(
        ReaderConfig(
            size=64,
            stem=8,
            widths=(16, 24, 32, 48),
            fine=16,
            local=8,
            layout=8,
            hidden=64,
            text_width=32,
            action_units=ACTION_UNITS,
        )  # fmt: skip
    ).to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    labels = Labels.of(collection)
    first = held_out_figures(net, collection, labels)
    recipe = TrainRecipe(
        batch=16, lr=4e-3, average=0.9, calibration=2,
        augment=AugmentRecipe(moved=0, soft=0, noisy=0, colours=0),
    )  # fmt: skip
    assert train_reader(net, collection, recipe, Budget(steps=30), Checkpoint(tmp_path / "reader.pt")) == 30
    last = held_out_figures(net, collection, labels)
    assert last["landmarks"] < 0.85 * first["landmarks"]
    assert last["action_units"] < first["action_units"]
    assert last["intensity_r_all"] > max(0.6, first["intensity_r_all"])
    assert last["gender"] > first["gender"] and last["depth"] < first["depth"]
    rows = reading_rows(net, collection, count=8, side=64)
    assert [row.shape for row in rows] == [(8, 64, 64, 3)] * 2
    assert not net.training


def test_the_shipped_recipe_is_within_its_limits() -> None:
    recipe = Recipe.read(ROOT / "trainers" / "configs" / "pocket-reader.toml")
    assert recipe.drawings.people <= HELD_OUT
    assert parameter_count(FaceReaderNet(recipe.net)) <= 3_000_000
    assert recipe.net.action_units == ACTION_UNITS
