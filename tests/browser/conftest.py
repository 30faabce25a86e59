"""The canvas as a person sees it: one server, one Chromium with a new profile, and what went wrong on the way."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import ConsoleMessage, Page, Route, sync_playwright

from launcher.browser import get_browser
from launcher.server import Server

PACK = "expressive-avatars"
SHOTS = Path(__file__).with_name("shots")
"""Screenshots of the last run, to be looked at; git ignores the folder."""

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-extensions",
    "--no-first-run",
]

EXPECTED = {
    r"404 .*/user\.css$": "a person's own style sheet, which a new user does not have",
    r"404 .*/userdata[/?]": "a new user's folders of workflows and blueprints are not there yet",
    rf"404 .*/extensions/{PACK}/docs/\w+/en\.md$": "the canvas asks for a help page in the reader's language first",
    r"graph accessed before initialization": "the canvas says it of itself at every start",
    r"ERR_FAILED (?!http://127\.0\.0\.1)": "requests to other machines are blocked in these tests",
}
"""Console errors that are not ours: pattern → why it comes."""


class Canvas:
    """One open page. `problems` collects every console error and exception that is not expected."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.problems: list[str] = []
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.problems.append(f"exception: {error}"))
        page.route(lambda address: not address.startswith(url), self._elsewhere)

    def open(self) -> None:
        """Load the canvas of a new user, whose first sight is the template browser, and wait until it is ready."""
        self.page.goto(self.url)
        self.page.wait_for_function(
            "() => Boolean(window.app?.vueAppReady && LiteGraph.registered_node_types.KSampler)"
        )
        self.page.get_by_test_id("template-workflows-content").wait_for()

    def show_templates(self) -> dict[str, int]:
        """Open the template browser at this pack's entries: name → pixels of the thumbnail's width."""
        content = self.page.get_by_test_id("template-workflows-content")
        if not content.is_visible():
            self.page.locator(".templates-tab-button").click()
        self.page.get_by_role("dialog").get_by_text(PACK, exact=True).first.click()
        cards = self.page.locator("[data-testid^='template-workflow-']")
        cards.first.wait_for()
        self.page.wait_for_timeout(500)  # the list of cards is made in the frames after
        found = {}
        for card in cards.all():  # a card has its picture as long as it is in view
            card.scroll_into_view_if_needed()
            name = card.get_attribute("data-testid")
            width = self.page.wait_for_function(
                "name => document.querySelector(`[data-testid='${name}'] img`)?.naturalWidth || 0", arg=name
            )
            found[str(name).removeprefix("template-workflow-")] = width.json_value()
        return found

    def load(self, name: str) -> None:
        """Click a template of the pack and wait until its graph is on the canvas."""
        self.show_templates()
        self.call("() => { app.graph.extra.before = true }")
        self.page.get_by_test_id(f"template-workflow-{name}").click()
        self.page.get_by_test_id("template-workflows-content").wait_for(state="detached")
        self.page.wait_for_function("() => !app.graph.extra.before && app.graph.nodes.length > 0")
        self.page.wait_for_timeout(1500)  # the view is fitted and the text boxes are placed in the frames after

    def run(self) -> None:
        """Press Run."""
        self.page.get_by_test_id("queue-button").click()

    def close_panel(self) -> None:
        """Close the panel at the right, which shows a node's help among others."""
        panel = self.page.get_by_test_id("properties-panel")
        if panel.is_visible():
            panel.locator("button[aria-pressed]").click()
            panel.wait_for(state="hidden")

    def call(self, function: str, argument: Any = None) -> Any:
        """The JSON value of a JavaScript function in the page."""
        return self.page.evaluate(function, argument)

    def shot(self, name: str) -> Path:
        """Save what is on the screen."""
        SHOTS.mkdir(exist_ok=True)
        self.page.screenshot(path=SHOTS / f"{name}.png")
        return SHOTS / f"{name}.png"

    def _console(self, message: ConsoleMessage) -> None:
        if message.type != "error":
            return
        text = message.text.replace("Failed to load resource: the server responded with a status of ", "")
        said = f"{text} {message.location.get('url', '')}"
        if not any(re.search(pattern, said) for pattern in EXPECTED):
            self.problems.append(said)

    def _elsewhere(self, route: Route) -> None:
        if route.request.url.startswith(("data:", "blob:")):
            route.continue_()
        else:
            route.abort()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, placeholder_models: list[str]) -> Iterator[Server]:
    """ComfyUI with the pack, a new user, an empty file for each model of the full workflows and a picture to load."""
    arguments = ["--cpu", "--disable-api-nodes", "--preview-method", "latent2rgb", *placeholder_models]
    with Server(state=tmp_path_factory.mktemp("server"), arguments=arguments) as running:
        Image.new("RGB", (512, 640), "tan").save(running.input / "example.png")
        yield running


@pytest.fixture(scope="session")
def opened(server: Server) -> Iterator[Canvas]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(get_browser()), args=FLAGS)
        try:
            context = browser.new_context(viewport={"width": 1920, "height": 1080})
            context.set_default_timeout(120_000)
            canvas = Canvas(context.new_page(), server.url)
            canvas.open()
            yield canvas
        finally:
            browser.close()


@pytest.fixture
def canvas(opened: Canvas) -> Canvas:
    """The page of the layer, with nothing held against it yet."""
    opened.close_panel()
    opened.problems.clear()
    return opened
