"""p99 lag against tabs, as an SVG that reads in light and in dark."""

import math
from collections.abc import Mapping, Sequence

from benchmarks.tabs import TOO_LATE

Line = Sequence[tuple[int, float]]  # tabs, seconds

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 720, 360, 64, 150, 24, 48
COLOURS = ("#4f6df5", "#e8743b", "#19a979", "#b665d6")
TICKS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10)
TITLE = "p99 lag of a word against tabs"
STYLE = (
    "text{fill:#656d76;font:13px"
    " system-ui,sans-serif}@media(prefers-color-scheme:dark){text{fill:#9ca3af}}"
)


def chart(lines: Mapping[str, Line]) -> str:
    most = max(tabs for line in lines.values() for tabs, _ in line)
    drawn = [
        *_grid(most),
        *(
            part
            for line, colour in zip(lines.items(), COLOURS, strict=False)
            for part in _line(*line, most, colour)
        ),
    ]
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img"'
        f' aria-label="{TITLE}">'
    )
    return "\n".join([head, f"<style>{STYLE}</style>", *drawn, "</svg>", ""])


def _x(tabs: float, most: int) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT) * tabs / most


def _y(seconds: float) -> float:
    low, high = math.log10(TICKS[0]), math.log10(TICKS[-1])
    share = (math.log10(min(max(seconds, TICKS[0]), TICKS[-1])) - low) / (high - low)
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * share


def _grid(most: int) -> list[str]:
    parts = [f'<text x="{LEFT}" y="{TOP - 8}">p99 lag of a word</text>']
    for tick in TICKS:
        label = f"{tick:g} s" if tick >= 1 else f"{tick * 1000:g} ms"
        y = _y(tick)
        parts.append(
            f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" stroke="#8884"'
            f' stroke-width="{1 + (tick == TOO_LATE)}"/>'
        )
        parts.append(f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{label}</text>')
    for tabs in range(0, most + 1, 2 ** max(0, math.ceil(math.log2(most / 8)))):
        parts += [
            f'<text x="{_x(tabs, most):.1f}" y="{HEIGHT - BOTTOM + 20}"'
            f' text-anchor="middle">{tabs}</text>'
        ]
    middle = _x(most / 2, most)
    return [
        *parts,
        (
            f'<text x="{middle:.1f}" y="{HEIGHT - 8}" text-anchor="middle">tabs at 50 words a'
            " second</text>"
        ),
    ]


def _line(name: str, line: Line, most: int, colour: str) -> list[str]:
    points = [(_x(tabs, most), _y(seconds)) for tabs, seconds in line]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    dots = [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}"/>' for x, y in points]
    x, y = points[-1]
    named = (
        f'<text x="{x + 10:.1f}" y="{y + 4:.1f}"'
        f' style="fill:{colour};font-weight:600">{name}</text>'
    )
    return [
        f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2.5"/>',
        *dots,
        named,
    ]
