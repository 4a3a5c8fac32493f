"""Charts of a page, read from the screen."""

from typing import Any

import pytest

# What a chart shows, where it is on the screen: by its title, the numbers along the axes, and what is drawn.
CHART = """(title) => {
  const svg = [...document.querySelectorAll("main:not([hidden]) .chart svg[role=img]")]
    .find((each) => each.querySelector("title").textContent.startsWith(title));
  if (!svg) return null;
  const box = (element) => { const { left, right, top, bottom } = element.getBoundingClientRect();
    return { left, right, top, bottom, x: (left + right) / 2, y: (top + bottom) / 2 }; };
  const all = (selector) => [...svg.querySelectorAll(selector)];
  const grid = all(":scope > .grid").map((line) => box(line).y);
  const texts = all(":scope > text.end").map((text) => text.textContent);
  const below = all(":scope > text.middle").filter((text) => /^[0-9]/.test(text.textContent));
  return {
    upright: grid.map((y, place) => [texts[place], y]), along: below.map((text) => [text.textContent, box(text).x]),
    marks: all(".mark, .dot, .point, .interval").map((each) => ({ kind: each.getAttribute("class"), ...box(each) })),
    lines: Object.fromEntries(all("polyline").map((line) => [line.classList[1], [...line.points].map((point) => {
      const { x, y } = new DOMPoint(point.x, point.y).matrixTransform(line.getScreenCTM());
      return { x, y };
    })])),
  };
}"""


class Chart:
    """A chart as a reader has it: values are found from positions on the screen by the numbers along the axes."""

    def __init__(self, tab: Any, title: str) -> None:
        self.drawn = tab.evaluate(CHART, title)
        assert self.drawn, f"no chart {title}"

    def value(self, position: float, axis: str) -> float:
        ticks = self.drawn[axis]
        assert len(ticks) > 1
        (first, start), (last, end) = ((self.number(text), at) for text, at in (ticks[0], ticks[-1]))
        return float(first + (position - start) / (end - start) * (last - first))

    @staticmethod
    def number(text: str) -> float:
        return float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)

    def marks(self, kind: str) -> list[dict[str, float]]:
        return [mark for mark in self.drawn["marks"] if mark["kind"] == kind]

    def dots(self, kind: str) -> list[tuple[float, float]]:
        return [(self.value(mark["x"], "along"), self.value(mark["y"], "upright")) for mark in self.marks(kind)]

    def line(self, kind: str) -> list[tuple[float, float]]:
        points = self.drawn["lines"][kind]
        return [(self.value(point["x"], "along"), self.value(point["y"], "upright")) for point in points]

    def columns(self, kind: str) -> list[int]:
        counts = [0] * 10
        for mark in self.marks(f"mark {kind}"):
            height = self.value(mark["top"], "upright") - self.value(mark["bottom"], "upright")
            assert height == pytest.approx(round(height), abs=0.05)
            counts[int(self.value(mark["x"], "along") * 10)] += round(height)
        return counts
