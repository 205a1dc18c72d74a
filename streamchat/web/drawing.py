"""The chat's own mark, a stream in a speech bubble, and the card for previews of links."""

from collections.abc import Callable, Iterator
from functools import lru_cache, wraps
from io import BytesIO
from threading import Lock

from PIL import Image, ImageDraw

from streamchat.look import Look
from streamchat.web.fonts import Font, drawable

# in a square of 64
BODY = (4, 5, 60, 51)
CORNER = 16
TAIL = ((14, 44), (14, 58), (34, 44))
TAIL_ROUND = 4
# two curves, each from the end of the one before
WAVE = (((15, 28), (20.5, 19), (26, 19), (32, 28)), ((32, 28), (38, 37), (43.5, 37), (49, 28)))
WAVE_WIDTH = 6.5
MARK = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64">
<style>
svg {{ color: {accent}; --ink: {ink} }}
@media (prefers-color-scheme: dark) {{ svg {{ color: {dark_accent}; --ink: {dark_ink} }} }}
</style>
<path d="M14 44v14l20-14z" fill="currentColor" stroke="currentColor" stroke-width="4"
 stroke-linejoin="round"/>
<rect x="4" y="5" width="56" height="46" rx="16" fill="currentColor"/>
<path d="M15 28c5.5-9 11-9 17 0s11.5 9 17 0" fill="none" stroke="var(--ink)"
 stroke-width="6.5" stroke-linecap="round"/>
</svg>
"""

CARD = (1200, 630)
EDGE = 96
MARK_SIZE = 148
TITLE_SIZE = 92
PAGE, TEXT, NOTE = "#18181c", "#ffffff", "#c4c4cf"
TOUCH = 180
# drawn larger by this, and made smaller, which smooths edges
FINER = 4

Point = tuple[float, float]


def svg(look: Look) -> bytes:
    """The mark in the accent of each theme."""
    (accent, ink), (dark_accent, dark_ink) = look.accents
    return MARK.format(accent=accent, ink=ink, dark_accent=dark_accent, dark_ink=dark_ink).encode()


def drawn_once(draw: Callable[[Look], bytes]) -> Callable[[Look], bytes]:
    """The picture of each look is drawn once, however many ask for it at the same time."""
    kept, turn = lru_cache(maxsize=2)(draw), Lock()

    @wraps(draw)
    def drawn(look: Look) -> bytes:
        with turn:
            return kept(look)

    return drawn


@drawn_once
def touch_icon(look: Look) -> bytes:
    """The icon for phones, a PNG whose corners they round: the mark, or the owner's, on white."""
    square = Image.new("RGB", (TOUCH, TOUCH), "#ffffff")
    accent, ink = look.accents[0]
    side = TOUCH - 40
    picture = _owners(look, side) or _mark(side, accent, ink)
    square.paste(picture, _centred(picture.size, square.size), picture)
    return _png(square)


@drawn_once
def card(look: Look) -> bytes:
    """The picture of a preview, a PNG of 1200 x 630: the logo, and below it the title and the
    sentence, as far as the font at hand has their letters."""
    picture = Image.new("RGB", CARD, PAGE)
    accent, ink = look.accents[1]
    logo = _owners(look, MARK_SIZE) or (None if look.logo else _mark(MARK_SIZE, accent, ink))
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, CARD[1] - 12, *CARD), fill=accent)
    if logo:
        picture.paste(logo, (EDGE, 120), logo)
    _write_title(draw, look.title)
    tagline, font = drawable(look.tagline, 42)
    draw.text((EDGE, 440), _lines(tagline, font), NOTE, font, spacing=14)
    return _png(picture)


def _write_title(draw: ImageDraw.ImageDraw, title: str) -> None:
    """Writes it in bold, as large as fits."""
    title, font = drawable(title, TITLE_SIZE)
    size = min(TITLE_SIZE, TITLE_SIZE * (CARD[0] - 2 * EDGE) / max(font.getlength(title), 1))
    _, font = drawable(title, size)
    draw.text((EDGE, 410), title, TEXT, font, anchor="ls", stroke_width=size / 60)


def _lines(text: str, font: Font) -> str:
    """The text in two lines that fit, the second one cut off where it is too long."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if font.getlength(longer) <= CARD[0] - 2 * EDGE:
            lines[-1] = longer
        else:
            lines.append(word)
    return "\n".join(lines) if len(lines) <= 2 else "\n".join([lines[0], f"{lines[1]}..."])


def _mark(size: int, accent: str, ink: str) -> Image.Image:
    scale = size * FINER / 64

    def sized(*numbers: float) -> tuple[float, ...]:
        return tuple(number * scale for number in numbers)

    picture = Image.new("RGBA", (size * FINER, size * FINER))
    draw = ImageDraw.Draw(picture)
    draw.rounded_rectangle(sized(*BODY), CORNER * scale, accent)
    tail = [(x * scale, y * scale) for x, y in TAIL]
    draw.polygon(tail, accent)
    draw.line([*tail, *tail[:2]], accent, round(TAIL_ROUND * scale), joint="curve")
    for x, y in _wave():
        draw.circle(sized(x, y), WAVE_WIDTH / 2 * scale, ink)
    return picture.resize((size, size), Image.Resampling.LANCZOS)


def _wave(steps: int = 200) -> Iterator[Point]:
    for start, one, two, end in WAVE:
        for step in range(steps + 1):
            t = step / steps
            weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3)
            points = tuple(zip(weights, (start, one, two, end), strict=True))
            yield (
                sum(weight * point[0] for weight, point in points),
                sum(weight * point[1] for weight, point in points),
            )


def _owners(look: Look, side: int) -> Image.Image | None:
    """The owner's PNG, as large as fits into a square. No library at hand draws an SVG."""
    if look.logo is None or look.logo.kind != "image/png":
        return None
    picture = Image.open(BytesIO(look.logo.content)).convert("RGBA")
    picture.thumbnail((side, side), Image.Resampling.LANCZOS)
    return picture


def _centred(inner: tuple[int, int], outer: tuple[int, int]) -> tuple[int, int]:
    return (outer[0] - inner[0]) // 2, (outer[1] - inner[1]) // 2


def _png(picture: Image.Image) -> bytes:
    written = BytesIO()
    picture.save(written, "PNG", optimize=True)
    return written.getvalue()
