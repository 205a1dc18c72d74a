"""Fonts that draw text: Pillow's own for Latin letters, and otherwise one that is installed."""

from functools import lru_cache

from PIL import ImageFont, features

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

# as systems name their files; Pillow finds them in the folders of each system
INSTALLED = (
    "NotoSans-Regular.ttf",
    "DejaVuSans.ttf",
    "arial.ttf",
    "Arial Unicode.ttf",
    "NotoSansCJK-Regular.ttc",
    "NotoSansCJKsc-Regular.otf",
    "wqy-microhei.ttc",
    "msyh.ttc",
    "YuGothM.ttc",
    "malgun.ttf",
    "PingFang.ttc",
    "Hiragino Sans GB.ttc",
    "NotoSansArabic-Regular.ttf",
    "NotoSansHebrew-Regular.ttf",
    "NotoSansDevanagari-Regular.ttf",
    "NotoSansThai-Regular.ttf",
    "Nirmala.ttf",
)
# in no font, so that its picture is that of every missing letter
MISSING = "\U0010fffd"
# scripts whose letters Raqm joins and turns: from Hebrew to Myanmar
SHAPED = range(0x590, 0x10A0)


def drawable(text: str, size: float) -> tuple[str, Font]:
    """The text without the letters that the font lacks, and the font that has most of them. The
    text is empty if the font lacks more than half of it."""
    found = max(_fonts(size), key=lambda font: len(_known(text, font)))
    known = " ".join(_known(text, found).split())
    return (known if 2 * len(known) >= len(text) else "", found)


@lru_cache(maxsize=8)
def _fonts(size: float) -> list[Font]:
    fonts: list[Font] = [ImageFont.load_default(size)]
    for name in INSTALLED:
        try:
            fonts.append(ImageFont.truetype(name, size))
        except OSError:
            continue
    return fonts


def _known(text: str, font: Font) -> str:
    return "".join(sign for sign in text if sign.isspace() or _has(font, sign))


def _has(font: Font, sign: str) -> bool:
    if ord(sign) in SHAPED and not features.check("raqm"):
        return False
    return bytes(font.getmask(sign)) != bytes(font.getmask(MISSING))
