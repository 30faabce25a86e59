"""One server and one browser for the layer."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from launcher.server import Server
from tests.browser.canvas import Canvas, open_canvas
from tests.placeholders import example_picture, placeholder_models


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """ComfyUI with the pack, a new user, and an empty file for each model of the full workflows."""
    state: Path = tmp_path_factory.mktemp("server")
    models = placeholder_models(tmp_path_factory.mktemp("models"))
    arguments = ["--cpu", "--disable-api-nodes", "--preview-method", "latent2rgb", *models]
    with Server(state=state, arguments=arguments) as running:
        example_picture(running.input)
        yield running


@pytest.fixture(scope="session")
def browser_canvas(server: Server) -> Iterator[Canvas]:
    with open_canvas(server.url) as opened:
        yield opened


@pytest.fixture
def canvas(browser_canvas: Canvas) -> Canvas:
    """The page of the layer, with nothing held against it yet."""
    browser_canvas.problems.clear()
    return browser_canvas
