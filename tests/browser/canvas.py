"""The canvas as a person sees it: Chromium on a ComfyUI server, and what went wrong on the way."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import ConsoleMessage, Page, Route, sync_playwright

from launcher.browser import get_browser

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
        self.page.wait_for_function("() => Boolean(window.app?.vueAppReady && LiteGraph.registered_node_types.KSampler)")
        self.page.get_by_test_id("template-workflows-content").wait_for()

    def show_templates(self) -> list[str]:
        """Open the template browser at this pack's entries and give their names."""
        content = self.page.get_by_test_id("template-workflows-content")
        if not content.is_visible():
            self.page.locator(".templates-tab-button").click()
        self.page.get_by_role("dialog").get_by_text(PACK, exact=True).first.click()
        cards = self.page.locator("[data-testid^='template-workflow-expression']")
        cards.first.wait_for()
        self.page.wait_for_function(
            "() => [...document.querySelectorAll(\"[data-testid^='template-workflow-'] img\")].every(i => i.complete)"
        )
        names = self.page.locator("[data-testid^='template-workflow-']").evaluate_all(
            "cards => cards.map(card => card.dataset.testid.replace('template-workflow-', ''))"
        )
        return [name for name in names if name != "s-content"]

    def load(self, name: str) -> None:
        """Click a template of the pack and wait until its graph is on the canvas."""
        self.show_templates()
        self.page.get_by_test_id(f"template-workflow-{name}").click()
        self.page.get_by_test_id("template-workflows-content").wait_for(state="detached")
        self.page.wait_for_function("() => app.graph.nodes.length > 0")
        self.page.wait_for_timeout(1500)  # the view is fitted and the text boxes are placed in the frames after

    def run(self) -> None:
        """Press Run."""
        self.page.get_by_test_id("queue-button").click()

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


@contextmanager
def open_canvas(url: str, *, scale: float = 1, width: int = 1920, height: int = 1080) -> Iterator[Canvas]:
    """A browser with a new profile at the canvas of a server; closed again whatever happens."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(get_browser()), args=FLAGS)
        try:
            size = {"width": width, "height": height}
            context = browser.new_context(viewport=size, device_scale_factor=scale)  # pyright: ignore[reportArgumentType]
            context.set_default_timeout(120_000)
            canvas = Canvas(context.new_page(), url)
            canvas.open()
            yield canvas
        finally:
            browser.close()
