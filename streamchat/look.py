"""The owner's choice of how the chat looks: a name, a tagline, a greeting and a colour."""

import json
import re
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_settings import BaseSettings

from streamchat.logo import Logo, read_logo
from streamchat.texts import text

TITLE = "StreamChat"
SENTENCE = text("preview")
TOKENS = Path(__file__).with_name("tokens.css").read_text("utf-8")
DARK_TOKENS = re.compile(r"^\.dark \{(.*?)\}", re.DOTALL | re.MULTILINE)
ACCENTS = re.compile(r"--sc-accent: (#\w{6});\s*--sc-on-accent: (#\w{6});")
COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
WHITE, BLACK = (255, 255, 255), (20, 20, 28)
# of tokens.css, the surfaces on which a button stands
LIGHT, DARK = (255, 255, 255), (34, 34, 39)
# WCAG asks it of what can be pressed
SEEN = 3.0
STEPS = 20

Colour = tuple[int, int, int]


@dataclass(frozen=True)
class Look:
    """The name, texts and accent colour of the chat. The accent is written as #4f46e5; empty means
    the usual one."""

    title: str = TITLE
    tagline: str = SENTENCE
    welcome: str = ""
    accent: str = ""
    logo: Logo | None = None

    @property
    def greeting(self) -> str:
        return self.welcome or self.title

    @property
    def css(self) -> str:
        """The page's tokens with this accent."""
        return TOKENS + (_accented(_parsed(self.accent)) if self.accent else "")

    @property
    def page_css(self) -> str:
        """The tokens for a page that is dark where the system is, or where its root has a class
        that says so."""
        dark = "".join(DARK_TOKENS.findall(self.css))
        return (
            f"{self.css}\n@media (prefers-color-scheme: dark) {{ :root:not(.light) {{{dark}}} }}\n"
        )

    @property
    def accents(self) -> tuple[tuple[str, str], tuple[str, str]]:
        """In the light theme and in the dark one: the accent, and the colour of what stands on
        it."""
        light, dark = ACCENTS.findall(self.css)[-2:]
        return light, dark

    def meta(self, **facts: bool) -> str:
        """A meta element with the chat's name and facts about it, for the page's scripts."""
        content = json.dumps({"title": self.title, "tagline": self.tagline, **facts})
        return f'<meta name="streamchat" content="{escape(content)}">'


def checked_accent(colour: str) -> str:
    """Raises `ValueError` for anything but a colour or an empty text."""
    if colour and not COLOUR.fullmatch(colour):
        raise ValueError("it should be a colour as in #4f46e5")
    return colour


def checked_line(text: str) -> str:
    """Raises `ValueError` for more than one line."""
    if not text.isprintable():
        raise ValueError("it should be one line without control characters")
    return text


class LookSettings(BaseSettings):
    """The settings of the look."""

    title: Annotated[str, AfterValidator(checked_line)] = Field(
        TITLE, max_length=60, description="The name of the chat, on its pages and in previews."
    )
    tagline: Annotated[str, AfterValidator(checked_line)] = Field(
        SENTENCE, max_length=200, description="The sentence below the name."
    )
    welcome: Annotated[str, AfterValidator(checked_line)] = Field(
        "", max_length=100, description="The greeting of an empty chat, in place of its name."
    )
    accent: Annotated[str, AfterValidator(checked_accent)] = Field(
        "", description="The colour of buttons, as in #0f766e."
    )
    logo: Annotated[Logo | None, BeforeValidator(read_logo)] = Field(
        None, description="The path of an SVG or PNG file in place of the chat's own logo."
    )

    @property
    def look(self) -> Look:
        return Look(self.title, self.tagline, self.welcome, self.accent, self.logo)


def contrast(one: Colour, other: Colour) -> float:
    """The contrast ratio of WCAG 2.2, from 1 to 21."""
    bright, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def seen_on(surface: Colour, colour: Colour) -> Colour:
    """The colour, made darker or lighter until it stands out from the surface."""
    towards = BLACK if contrast(surface, BLACK) > contrast(surface, WHITE) else WHITE
    mixed = (_mixed(colour, towards, step / STEPS) for step in range(STEPS + 1))
    return next(each for each in mixed if contrast(each, surface) >= SEEN)


def _accented(colour: Colour) -> str:
    themes = {":root": seen_on(LIGHT, colour), ".dark": seen_on(DARK, colour)}
    return "\n".join(
        f"{theme} {{ --sc-accent: {_hex(accent)}; --sc-on-accent: {_hex(_ink(accent))}; }}"
        for theme, accent in themes.items()
    )


def _ink(colour: Colour) -> Colour:
    return max(WHITE, BLACK, key=lambda ink: contrast(ink, colour))


def _mixed(colour: Colour, other: Colour, share: float) -> Colour:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(colour, other, strict=True))
    return red, green, blue


def _luminance(colour: Colour) -> float:
    parts = (part / 255 for part in colour)
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _parsed(colour: str) -> Colour:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _hex(colour: Colour) -> str:
    return "#" + "".join(f"{part:02x}" for part in colour)
