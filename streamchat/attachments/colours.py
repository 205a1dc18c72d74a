"""The colours of a picture in words."""

from PIL import Image

NAMES = {
    "black": (0, 0, 0),
    "white": (255, 255, 255),
    "grey": (128, 128, 128),
    "red": (210, 40, 40),
    "orange": (240, 140, 40),
    "yellow": (240, 220, 60),
    "green": (60, 160, 70),
    "blue": (50, 90, 200),
    "purple": (130, 60, 170),
    "pink": (240, 150, 190),
    "brown": (120, 75, 40),
}
# pixels of a side that are looked at
SIDE = 32
MOST = 3
# of the pixels, in which a colour is worth a word
SHARE = 0.08


def colours_of(image: Image.Image) -> tuple[str, ...]:
    """The names of its main colours, the most frequent first."""
    small = image.convert("RGB").resize((SIDE, SIDE))
    counts: dict[str, int] = {}
    for number, colour in small.getcolors(SIDE * SIDE) or ():
        name = _nearest(colour) if isinstance(colour, tuple) else "grey"
        counts[name] = counts.get(name, 0) + number
    often = sorted(counts, key=lambda name: (-counts[name], name))
    return tuple(name for name in often[:MOST] if counts[name] >= SHARE * SIDE * SIDE)


def _nearest(colour: tuple[int, ...]) -> str:
    return min(
        NAMES,
        key=lambda name: sum((a - b) ** 2 for a, b in zip(NAMES[name], colour, strict=True)),
    )
