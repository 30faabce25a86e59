import random
import re
from dataclasses import replace

import numpy as np
import pytest

from expressive.emotion import Emotion, vocabulary
from expressive.pocket import captions, choices, text
from expressive.pocket.body import HAND_POSES
from expressive.pocket.faces import BACKGROUNDS, Identity
from expressive.pocket.faces.styles import MEASURES
from expressive.pocket.scene import FRAMES, STYLES, Camera, Scene, picture
from expressive.pocket.scene.sampling import POSE_LIMIT, random_emotion, random_scene


def test_emotion_and_movements_add_up_to_a_limit() -> None:
    scene = Scene(Identity.sample(1), Emotion.of("pixelsmile.happy"), {"AU12": 5.0, "AU61": 0.5})
    assert scene.action_units["AU12"] == 1.5
    assert scene.action_units["AU61"] == 0.5
    assert scene.action_units["AU6"] == Emotion.of("pixelsmile.happy").action_units()["AU6"]


def test_the_choices_are_what_is_drawn() -> None:
    assert tuple(MEASURES) == choices.STYLES
    assert tuple(FRAMES) == choices.FRAMES
    assert set(HAND_POSES) == set(choices.GESTURES)
    assert len(BACKGROUNDS) == len(choices.BACKGROUNDS)


def test_unknown_styles_and_frames_are_sentences() -> None:
    with pytest.raises(ValueError, match="'oil' is not drawn here; choose one of portrait"):
        Scene(Identity.sample(1), style="oil")
    with pytest.raises(ValueError, match="'feet' is not drawn here; choose one of face, upper_body"):
        Scene(Identity.sample(1), frame="feet")


def test_a_random_scene_is_the_same_again_and_within_its_limits() -> None:
    who = Identity.sample(3)
    scenes = [random_scene(seed, who, random_emotion(seed)) for seed in range(200)]
    assert scenes == [random_scene(seed, who, random_emotion(seed)) for seed in range(200)]
    assert {scene.style for scene in scenes} == set(STYLES)
    assert all(abs(angle) <= POSE_LIMIT for s in scenes for angle in (s.pose.yaw, s.pose.pitch, s.pose.roll))
    assert 0.3 < np.mean([scene.light.strength > 0 for scene in scenes]) < 0.7
    kinds = [len(scene.emotion.weights) for scene in scenes]
    assert min(kinds) == 0 and max(kinds) == 2


def test_the_camera_moves_and_zooms() -> None:
    who = Identity.sample(1_000_003)
    plain, near = (picture(Scene(who, camera=camera), 64).astype(int) for camera in (Camera(), Camera(zoom=1.15)))
    assert np.abs(plain - near).mean() > 2


def test_captions_name_what_is_drawn_in_words_that_the_model_knows() -> None:
    for seed in range(300):
        frame = "upper_body" if seed % 4 == 0 else "face"
        scene = random_scene(seed, Identity.sample(seed), random_emotion(seed), frame=frame)
        written = captions.caption(scene, random.Random(seed))
        assert len(text.tokenize(written)) <= text.MAX_TOKENS
        unknown = [word for word in re.findall("[a-z]{2,}", written.lower()) if word not in text.vocabulary()]
        assert not unknown, (unknown, written)
        assert any(style in written.lower() for style in captions.STYLE_NAMES[scene.style])
        if scene.emotion.weights:
            word = scene.emotion.words[0]
            assert any(name in written.lower() for name in (word.word, word.noun, word.adjective))
        else:
            assert "neutral" in written


def test_details_in_full_name_hair_glasses_and_clothes() -> None:
    who = Identity.sample(2, hair="red", hair_style="bun", glasses="square", clothes="teal")
    named = captions.details(Scene(who))
    assert "red hair" in named and "hair in a bun" in named and "square glasses" in named
    assert any(words.startswith("wearing a teal") for words in named)


def test_a_caption_never_says_how_strong_an_expression_is() -> None:
    who, word = Identity.sample(9), vocabulary.pixelsmile()[6]
    weak, strong = (Scene(who, Emotion.of(word.id, intensity)) for intensity in (0.2, 1.2))
    for seed in range(20):
        assert captions.caption(weak, random.Random(seed)) == captions.caption(strong, random.Random(seed))


@pytest.mark.parametrize("size", [64, 128, 250])
def test_the_picture_reaches_its_borders_wherever_the_camera_is(size: int) -> None:
    for seed in range(12):
        scene = random_scene(seed, Identity.sample(seed), moved=0.1)
        pixels = picture(replace(scene, background=6), size)  # plain white
        for border in (pixels[:3], pixels[:, :2], pixels[:, -2:]):
            assert border.max(-1).min() > 0
        assert not (pixels[-1] == 0).all(-1).any()


def test_a_full_caption_names_everything_and_fits() -> None:
    for seed in range(100):
        scene = random_scene(seed, Identity.sample(seed), random_emotion(seed), frame="upper_body")
        written = captions.full_caption(scene)
        assert len(text.tokenize(written)) <= text.MAX_TOKENS
        assert written.startswith(("A ", "An "))
        assert scene.identity.hair_name in written
        assert "glasses" in written
