"""The run: whatever servers do, the dataset ends complete, in order, and without duplicates."""

import io
import json
import random
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from expressive.dataset_maker.asking import NobodyAnswersError
from expressive.dataset_maker.checks import Verdict
from expressive.dataset_maker.config import Config, Servers
from expressive.dataset_maker.maker import Maker, Missing
from expressive.dataset_maker.painters import FailedError, RefusedError, UnreachableError
from expressive.dataset_maker.plan import make_plan
from expressive.datasets.avatars import METADATA, AvatarFolder
from launcher.places import ROOT

WORDS = ["delight", "grief", "rage", "dread"]
QUICK = Servers(ahead=2, silence=20.0)


def plan(people=6, words=WORDS):
    workflow = {"file": "x.json", "keep": "x", "inputs": {}}
    return make_plan(
        Config.model_validate({"name": "x", "expressions": words, "people": {"count": people}, "workflow": workflow})
    )


def picture(avatar, seed) -> bytes:
    pixels = np.random.default_rng([avatar.number, seed]).integers(0, 256, (8, 8, 3), np.uint8)
    written = io.BytesIO()
    Image.fromarray(pixels).save(written, "PNG")
    return written.getvalue()


class Server:
    """Paints noise. `disturb`, called before each picture, may raise."""

    def __init__(self, name="one", disturb=lambda avatar, seed: None, up=lambda: True, seconds=0.0):
        self.name, self.disturb, self.up, self.seconds = name, disturb, up, seconds
        self.painted, self.heard = [], time.monotonic()

    def trouble(self):
        if not self.up():
            return "does not answer"
        self.heard = time.monotonic()
        return ""

    def paint(self, avatar, seed, given_up: threading.Event):
        if given_up.wait(self.seconds):
            raise InterruptedError
        if not self.up():
            raise UnreachableError("does not answer")
        self.disturb(avatar, seed)
        self.painted.append((avatar.name, seed))
        return picture(avatar, seed)


def good(pixels, avatar):
    return Verdict()


def make(folder: Path, servers, avatars, check=good, tries=3, patience=QUICK, stop=lambda: False):
    return Maker(AvatarFolder(folder), servers, check, patience, tries, {"workflow": "abc"}).make(avatars, stop)


def rows(folder: Path):
    return [json.loads(line) for line in (folder / METADATA).read_text(encoding="utf-8").splitlines()]


def is_complete(folder: Path, avatars):
    found = rows(folder)
    assert sorted(row["file_name"] for row in found) == sorted(f"{avatar.name}.png" for avatar in avatars)
    assert sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.png")) == sorted(
        row["file_name"] for row in found
    )
    by_name = {f"{avatar.name}.png": avatar for avatar in avatars}
    for row in found:
        avatar = by_name[row["file_name"]]
        pixels = np.asarray(Image.open(folder / row["file_name"]))
        assert np.array_equal(pixels, np.asarray(Image.open(io.BytesIO(picture(avatar, row["seed"])))))
        assert (row["emotion"], row["person"], row["text"]) == (avatar.word, avatar.person, avatar.prompt)
        assert row["workflow"] == "abc"


def test_every_avatar_is_painted_once_by_whoever_is_free(tmp_path):
    avatars, servers = plan(), [Server("one", seconds=0.01), Server("two", seconds=0.01)]
    outcome = make(tmp_path, servers, avatars)
    assert outcome.kept == len(avatars) and not outcome.missing and not outcome.rejected
    is_complete(tmp_path, avatars)
    assert all(server.painted for server in servers)
    assert sorted(name for server in servers for name, _ in server.painted) == sorted(a.name for a in avatars)


def test_what_is_there_is_not_painted_again(tmp_path):
    avatars, server = plan(), Server()
    make(tmp_path, [server], avatars[:10])
    later = Server()
    assert make(tmp_path, [later], avatars).kept == len(avatars) - 10
    assert not {name for name, _ in later.painted} & {name for name, _ in server.painted}
    is_complete(tmp_path, avatars)


def test_a_server_that_dies_gives_its_pictures_to_the_other(tmp_path):
    avatars, dead = plan(), threading.Event()

    def die(avatar, seed):
        if avatar.number == 5:
            dead.set()
            raise UnreachableError("does not answer")

    dying = Server("dying", die, up=lambda: not dead.is_set(), seconds=0.01)
    make(tmp_path, [dying, Server("steady", seconds=0.01)], avatars)
    is_complete(tmp_path, avatars)


def test_a_server_that_comes_back_goes_on(tmp_path):
    avatars, down_until = plan(), [0.0]

    def restart(avatar, seed):
        if avatar.number == 5 and not down_until[0]:
            down_until[0] = time.monotonic() + 0.5
            raise UnreachableError("has forgotten its picture")

    server = Server("alone", restart, up=lambda: time.monotonic() > down_until[0])
    make(tmp_path, [server], avatars, patience=Servers(silence=30))
    is_complete(tmp_path, avatars)


def test_when_nobody_answers_the_run_ends_with_what_it_has(tmp_path):
    avatars, dead = plan(), threading.Event()
    server = Server("gone", lambda avatar, seed: avatar.number == 5 and dead.set(), up=lambda: not dead.is_set())
    with pytest.raises(NobodyAnswersError, match="gone does not answer. Start one and give the same command"):
        make(tmp_path, [server], avatars, patience=Servers(silence=1.0))
    made = len(rows(tmp_path))
    assert 0 < made < len(avatars)
    assert make(tmp_path, [Server()], avatars).kept == len(avatars) - made
    is_complete(tmp_path, avatars)


def test_a_rejected_picture_is_painted_from_another_seed(tmp_path):
    avatars = plan()
    bad = {avatar.name for avatar in avatars[:4]}
    server = Server()

    def check(pixels, avatar):
        first = np.array_equal(pixels, np.asarray(Image.open(io.BytesIO(picture(avatar, avatar.seed)))))
        return Verdict("no face") if avatar.name in bad and first else Verdict()

    outcome = make(tmp_path, [server], avatars, check)
    assert outcome.rejected == {"no face": 4} and not outcome.missing
    is_complete(tmp_path, avatars)
    tries = {row["file_name"].removesuffix(".png"): row["try"] for row in rows(tmp_path)}
    assert {name for name, number in tries.items() if number == 1} == bad
    seeds = [seed for name, seed in server.painted if name == avatars[0].name]
    assert seeds == [avatars[0].seed_of_try(0), avatars[0].seed_of_try(1)]


def test_of_pictures_without_their_expression_the_best_is_kept(tmp_path):
    (avatar,) = plan(1, ["delight"])
    scores = {avatar.seed_of_try(number): score for number, score in enumerate((0.1, 0.2, 0.15))}

    def check(pixels, avatar):
        for seed, score in scores.items():
            if np.array_equal(pixels, np.asarray(Image.open(io.BytesIO(picture(avatar, seed))))):
                return Verdict("", False, score, {"shows": "sad"})
        raise AssertionError

    outcome = make(tmp_path, [Server()], [avatar], check)
    assert outcome.kept == 1 and outcome.rejected == {"another expression": 2}
    (row,) = rows(tmp_path)
    assert (row["try"], row["seed"], row["reached"], row["shows"]) == (1, avatar.seed_of_try(1), False, "sad")


def test_an_avatar_without_a_usable_picture_is_missing_and_the_others_are_made(tmp_path):
    avatars = plan()
    never = avatars[3].name

    def check(pixels, avatar):
        return Verdict("no face" if avatar.name == never else "")

    outcome = make(tmp_path, [Server()], avatars, check)
    assert outcome.missing == {never: Missing("no face", 3)}
    is_complete(tmp_path, [avatar for avatar in avatars if avatar.name != never])


def test_a_broken_file_is_painted_again(tmp_path):
    avatars = plan(2)
    broken = []

    class Cut(Server):
        def paint(self, avatar, seed, given_up):
            whole = super().paint(avatar, seed, given_up)
            if avatar.number == 1 and not broken:
                broken.append(1)
                return whole[: len(whole) // 2]
            return whole

    assert make(tmp_path, [Cut()], avatars).rejected == {"a broken file": 1}
    is_complete(tmp_path, avatars)


def test_a_node_that_fails_once_is_asked_again(tmp_path):
    avatars, failures = plan(), []

    def fail(avatar, seed):
        if avatar.number == 7 and not failures:
            failures.append(seed)
            raise FailedError("node 3 (KSampler): out of memory")

    assert make(tmp_path, [Server("one", fail)], avatars).rejected == {"node 3 (KSampler): out of memory": 1}
    is_complete(tmp_path, avatars)


def test_a_workflow_that_never_works_ends_the_run_soon(tmp_path):
    server = Server("one", lambda avatar, seed: (_ for _ in ()).throw(FailedError("node 3: no such model")))
    with pytest.raises(FailedError, match="first 5 pictures .* no such model"):
        make(tmp_path, [server], plan())


def test_a_server_that_breaks_pauses_and_the_others_make_everything(tmp_path, monkeypatch):
    """Its pictures go to the others without costing the avatars a try."""
    monkeypatch.setattr("expressive.dataset_maker.asking.LONGEST_WAIT", 0.3)
    avatars, broken, asked = plan(20), threading.Event(), []

    def sick(avatar, seed):
        if broken.is_set():
            asked.append(avatar.name)
            raise FailedError("CUDA error")
        if avatar.number > 8:
            broken.set()

    outcome = make(tmp_path, [Server("sick", sick, seconds=0.01), Server("well", seconds=0.02)], avatars)
    assert not outcome.missing
    is_complete(tmp_path, avatars)
    assert 5 <= len(asked) < 40


def test_when_all_servers_break_midway_the_run_ends_and_nothing_is_given_up(tmp_path):
    avatars, broken = plan(20), threading.Event()

    def sick(avatar, seed):
        if avatar.number > 8:
            broken.set()
        if broken.is_set():
            raise FailedError("no space left")

    with pytest.raises(FailedError, match="last 20 pictures .* no space left"):
        make(tmp_path, [Server("one", sick), Server("two", sick)], avatars)
    left = len(avatars) - len(rows(tmp_path))
    assert 0 < left < len(avatars)
    assert make(tmp_path, [Server()], avatars).kept == left
    is_complete(tmp_path, avatars)


def test_a_server_that_is_slow_but_answers_is_waited_for(tmp_path):
    """Its answers while it paints count: the silence is of the server, not of the picture."""

    class Slow(Server):
        def paint(self, avatar, seed, given_up):
            for _ in range(4):
                self.heard = time.monotonic()
                if given_up.wait(0.5):
                    raise InterruptedError
            return super().paint(avatar, seed, given_up)

    assert make(tmp_path, [Slow()], plan(1, ["delight"]), patience=Servers(ahead=1, silence=1.0)).kept == 1


def test_a_later_run_tries_other_seeds(tmp_path):
    (avatar,) = plan(1, ["delight"])
    first, later = Server(), Server()
    outcome = make(tmp_path, [first], [avatar], lambda pixels, avatar: Verdict("no face"))
    maker = Maker(AvatarFolder(tmp_path), [later], good, QUICK, 3, {"workflow": "abc"})
    maker.make([avatar], spent={name: one.tries for name, one in outcome.missing.items()})
    assert {seed for _, seed in first.painted}.isdisjoint(seed for _, seed in later.painted)
    assert rows(tmp_path)[0]["try"] == 3


def test_a_workflow_that_a_server_refuses_ends_the_run_at_once(tmp_path):
    server = Server("one", lambda avatar, seed: (_ for _ in ()).throw(RefusedError("there is no node Stylize")))
    with pytest.raises(RefusedError, match="Stylize"):
        make(tmp_path, [server], plan())


def test_a_fault_of_ours_is_not_taken_for_a_bad_picture(tmp_path):
    server = Server("one", lambda avatar, seed: (_ for _ in ()).throw(KeyError("a bug")))
    with pytest.raises(KeyError, match="a bug"):
        make(tmp_path, [server], plan())


def test_asked_to_stop_it_gives_up_what_is_under_way(tmp_path):
    avatars = plan()
    server = Server("slow", seconds=0.05)
    outcome = make(tmp_path, [server], avatars, stop=lambda: len(server.painted) > 4)
    assert outcome.stopped and 0 < outcome.kept < len(avatars)
    assert make(tmp_path, [Server()], avatars).kept == len(avatars) - outcome.kept
    is_complete(tmp_path, avatars)


def test_killed_at_any_moment_it_goes_on_without_duplicates(tmp_path):
    """A real process that is killed while it writes, until it comes to its end."""
    folder, rng = tmp_path / "made", random.Random(0)
    script = (
        f"import sys; sys.path[:0] = [{str(ROOT)!r}, {str(Path(__file__).parent)!r}]\n"
        "from pathlib import Path\n"
        "from test_maker import Server, make, plan\n"
        f"make(Path({str(folder)!r}), [Server('one', seconds=0.004), Server('two', seconds=0.004)], plan(30))\n"
    )
    kills = 0
    for _ in range(60):
        process = subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.DEVNULL)
        begun = len(list(folder.rglob("*.png"))) if folder.exists() else 0
        while process.poll() is None and (
            not folder.exists() or len(list(folder.rglob("*.png"))) < begun + rng.randint(15, 40)
        ):
            time.sleep(0.01)
        if process.poll() == 0:
            break
        assert process.poll() is None, "it failed by itself"
        process.kill()
        process.wait()
        kills += 1
    assert kills >= 2
    is_complete(folder, plan(30))
