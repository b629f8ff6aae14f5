"""The page in light and dark, on a phone and on a wide screen: nothing is cut off, and everything can be read."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
import slotbook
from playwright.sync_api import Browser

from ..support.browser import Blotter, Sight, blotter
from ..support.fleet import Fleets
from ..support.make import TS, execution, fresh, limit

LEAST_CONTRAST = 4.5
"""Of WCAG 2.2, level AA, for texts of ordinary size."""

COLORS = """() => {
  const found = new Map();
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const color = getComputedStyle(at).backgroundColor;
      if (color !== "rgba(0, 0, 0, 0)") return color;
    }
    return "rgb(255, 255, 255)";
  };
  for (const element of document.querySelectorAll("body *")) {
    const style = getComputedStyle(element);
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    if (!own || element.closest("[hidden], noscript, .skip")) continue;
    const color = element instanceof SVGElement ? style.fill : style.color;
    found.set([color, ground(element)].join("|"), element.outerHTML.slice(0, 80));
  }
  for (const input of document.querySelectorAll("input")) {
    found.set([getComputedStyle(input, "::placeholder").color, ground(input)].join("|"), "placeholder");
  }
  return [...found];
}"""


@pytest.fixture(scope="module")
def shown(fleets: Fleets) -> Iterator[Blotter]:
    """Yield a blotter with long names and numbers, and with a loss."""
    url = fleets.of("standalone").url({"prefix": fresh("web") + ":"})
    with slotbook.connect(url) as book:
        for number in range(8):
            name = f"ORDER-20231225-{'0' * 20}{number}"
            side = "SELL" if number % 2 else "BUY"
            book.orders.place(limit("TRADER-001", name, symbol=f"SYMBOL-{number}", side=side, text="a text " * 9))
            fill = execution("TRADER-001", f"X{number}", "33.333333", "4799.253333333", name, ts_ns=TS + number)
            book.orders.fill(fill)
        book.events.trim("TRADER-001", 5)
        with blotter(url) as running:
            yield running


@pytest.fixture(scope="module", params=[(390, False), (390, True), (1280, False), (1280, True), (1800, False)], ids=str)
def sight(request: pytest.FixtureRequest, browser: Browser, shown: Blotter) -> Iterator[Sight]:
    width, dark = request.param
    seen = Sight(browser, shown.link, width=width, height=844, dark=dark)
    seen.wait_for("positions", "trader", "TRADER-001")
    seen.page.get_by_role("button", name="SYMBOL-6").click()
    seen.page.wait_for_selector("#chart svg")
    seen.page.evaluate("""() => {
      document.getElementById("problems").hidden = false;
      const loss = document.createElement("li");
      loss.className = "loss";
      loss.textContent = "StateLost";
      document.getElementById("problem-list").append(loss, "HistoryTrimmed");
    }""")
    yield seen
    assert seen.said == []
    seen.page.close()


def luminance(color: str) -> float:
    """Return the relative luminance of a color, as WCAG 2.2 defines it."""
    channels = [int(number) / 255 for number in re.findall(r"\d+", color)[:3]]
    red, green, blue = (one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_every_text_can_be_read(sight: Sight) -> None:
    found = sight.page.evaluate(COLORS)
    assert len(found) > 5
    weak = [(pair, what) for pair, what in found if contrast(*pair.split("|")) < LEAST_CONTRAST]
    assert weak == []


def test_nothing_scrolls_sideways_and_no_number_is_broken(sight: Sight) -> None:
    page = sight.page
    width = page.viewport_size["width"] if page.viewport_size else 0
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    if width < 760:
        inner = "[...document.querySelectorAll('.scroll')].map((one) => one.scrollWidth - one.clientWidth)"
        assert max(page.evaluate(inner)) <= 0
    broken = "[...document.querySelectorAll('td.number')].filter((one) => one.offsetHeight > 40).length"
    assert page.evaluate(broken) == 0


def test_light_and_dark_differ(browser: Browser, shown: Blotter) -> None:
    grounds = set[str]()
    for dark in (False, True):
        seen = Sight(browser, shown.link, dark=dark)
        grounds.add(seen.page.evaluate("getComputedStyle(document.body).backgroundColor"))
        seen.page.close()
    light, dark_ground = sorted(grounds, key=luminance, reverse=True)
    assert luminance(light) > 0.8
    assert luminance(dark_ground) < 0.05


def test_what_a_screen_reader_is_told(sight: Sight) -> None:
    page = sight.page
    for name in ("Positions", "Orders", "Events, the latest first"):
        assert page.get_by_role("table", name=name).count() == 1
    assert page.get_by_role("status").inner_text() == "live"
    for one in page.locator("input, select").all():
        assert one.evaluate("(field) => field.labels.length || field.getAttribute('aria-label')")
    assert page.get_by_role("img", name="SYMBOL-6 of TRADER-001").count() == 1
    assert page.get_by_role("columnheader").count() > 20
    assert page.evaluate("document.documentElement.lang") == "en"


def test_everything_is_reached_by_tab(sight: Sight) -> None:
    wanted = {"filter", "trader", "only-open", "SYMBOL-0", "Mark of SYMBOL-0", "day-close", "quantity", "Orders"}
    for _ in range(80):
        if not wanted:
            return
        sight.page.keyboard.press("Tab")
        found = "(({id, textContent, ariaLabel}) => id || ariaLabel || textContent)(document.activeElement)"
        wanted.discard(str(sight.page.evaluate(found)))
    assert wanted == set()
