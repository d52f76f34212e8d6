"""The served cockpit in a real Chromium without a window: `make test-web` (not part of `make test`)."""

from __future__ import annotations

import asyncio
import re
import shutil
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, WebSocket, async_playwright
from session_play import DEADLINE, Session
from web_play import Served, prepare, served

pytestmark = pytest.mark.timeout(300)

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)")


@pytest.fixture
def here(session: Session) -> Iterator[Served]:
    prepare(session)
    session.start()
    session.until_gate("alpha")
    try:
        with served(session) as found:
            yield found
    finally:
        session.down()


@pytest_asyncio.fixture
async def browser() -> AsyncIterator[Browser]:
    """The system's Chromium; nothing is downloaded."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert program, "there is no Chromium: apt install chromium"
    async with async_playwright() as playwright:
        found = await playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        )
        try:
            yield found
        finally:
            await found.close()


class Tab:
    """A page of the browser, and the words that the cockpit drew on it since it was asked last."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self._drawn = ""
        self.ended = False
        page.on("websocket", self._opened)

    def _opened(self, live: WebSocket) -> None:
        live.on("framereceived", self._received)
        live.on("close", self._closed)

    def _received(self, frame: str | bytes) -> None:
        if isinstance(frame, bytes):
            self._drawn += frame.decode("utf-8", "replace")

    def _closed(self, _: WebSocket) -> None:
        self.ended = True

    async def shows(self, *texts: str) -> None:
        """Wait until all texts were drawn, then forget what was."""
        try:
            await until(f"{texts} on the page", lambda: all(text in self.words() for text in texts))
        except AssertionError as error:
            raise AssertionError(f"{error}\nwhat was drawn:\n{self.words()}") from error
        self._drawn = ""

    def words(self) -> str:
        return ESCAPES.sub("", self._drawn)


async def until(what: str, condition: Callable[[], Any]) -> Any:
    """Wait for a condition, while the browser goes on."""
    deadline = time.monotonic() + DEADLINE
    while time.monotonic() < deadline:
        if found := await asyncio.to_thread(condition):
            return found
        await asyncio.sleep(0.05)
    raise AssertionError(f"never came: {what}")


async def opened(browser: Browser, url: str) -> Tab:
    context = await browser.new_context(viewport={"width": 1200, "height": 700})
    tab = Tab(await context.new_page())
    await tab.page.goto(url)
    return tab


async def test_a_person_opens_the_address_and_approves_by_key(here: Served, browser: Browser) -> None:
    complaints: list[str] = []
    tab = await opened(browser, "about:blank")
    tab.page.on("pageerror", lambda error: complaints.append(str(error)))
    await tab.page.goto(here.url)
    await tab.shows("served", "alpha", "beta", "engine")
    assert tab.page.url == f"http://{here.host}/", "the token stays in the address"
    (here.session.root / "go").touch()
    await tab.shows("src/beta/x.txt", "approve 1")
    await tab.page.keyboard.press("o")
    await tab.shows("+two", "until the plan ends")
    await tab.page.keyboard.press("a")
    await until("the approval", lambda: [r["status"] for r in here.session.requests()] == ["approved"])
    assert "you approved request 1" in here.session.command("log").stdout
    await tab.page.screenshot(path=here.session.root.parent / "page.png")
    assert not complaints


async def test_two_tabs_and_the_end_of_one_leaves_the_other_and_the_agents(
    here: Served, browser: Browser
) -> None:
    first = await opened(browser, here.url)
    await first.shows("alpha")
    second = Tab(await first.page.context.new_page())
    await second.page.goto(f"http://{here.host}/")  # the cookie is the browser's
    await second.shows("alpha")
    assert len(await asyncio.to_thread(here.tabs)) == 2
    before = here.session.agent("alpha")["pid"]
    await first.page.close()
    await until("the end of the first", lambda: len(here.tabs()) == 1)
    (here.session.root / "go").touch()
    await second.shows("approve 1")
    await second.page.keyboard.press("q")
    await until("the end of the second", lambda: second.ended and not here.tabs())
    assert here.session.agent("alpha")["pid"] == before
    assert here.session.agent("alpha")["alive"]
    await second.page.get_by_role("button", name="Restart").click()
    await second.shows("approve 1")


async def test_a_wrong_token_shows_what_to_do(here: Served, browser: Browser) -> None:
    for address in (f"http://{here.host}/", f"http://{here.host}/?token=guessed"):
        tab = await opened(browser, "about:blank")
        answer = await tab.page.goto(address)
        assert answer is not None
        assert answer.status == 401
        assert "open the whole address" in await tab.page.inner_text("body")
    assert not here.tabs()


ATTEMPT = """
address => new Promise(resolve => {
    const live = new WebSocket(address)
    live.onopen = () => resolve("open")
    live.onerror = () => resolve("refused")
})
"""


async def test_the_websocket_is_refused_without_the_cookie_and_from_another_origin(
    here: Served, browser: Browser
) -> None:
    address = f"ws://{here.host}/ws"
    stranger = await opened(browser, f"http://{here.host}/static/nothing")
    assert await stranger.page.evaluate(ATTEMPT, address) == "refused"

    with served(here.session) as other:  # a page on another port, in a browser that has both cookies
        tab = await opened(browser, here.url)
        await tab.shows("alpha")
        page = await tab.page.context.new_page()
        await page.route("**/elsewhere", _blank)
        for elsewhere in (f"http://127.0.0.1:{other.port}/elsewhere", "http://evil.example/elsewhere"):
            await page.goto(elsewhere)
            assert await page.evaluate(ATTEMPT, address) == "refused"
        await page.goto(f"http://{here.host}/static/css/xterm.css")
        assert await page.evaluate(ATTEMPT, address) == "open"


async def _blank(route: Any) -> None:
    await route.fulfill(status=200, content_type="text/html", body="<title>elsewhere</title>")
