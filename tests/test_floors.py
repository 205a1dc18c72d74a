import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

# A module may import what stands below it. What stands beside it does not know it; after a "+" stands a part
# of the room before it, which only that room may import. A package is one room; its modules may import each other.
FLOORS = """
    app
    process
    server
    ui+page+chatbot  api+question+stream+sse+openapi   owner+figures   docs   preview
    tabs   gradio_internals   blueprint   command
    frames   transcript
    chat     receipts
    idempotency
    answers
    trouble
    account  cache   telemetry   share   journal   pause   pace   web
    budget
    store+schema+holdings
    demo  late  claude+progress+seam+clients+wire+keepalive+capabilities+faults+eventstream+complaints  reply  prices
    events   settings
    limits   keys   demand   deadlines   meter   environment+envfile   listener   shelf
    outbound   visitor
    errors   console   logs   content
"""

OWNERS = {
    "aiohttp": {"faults", "keepalive"},
    "anthropic": {"claude", "clients", "capabilities", "faults", "keepalive", "wire"},
    "gradio": {"ui", "page", "chatbot", "gradio_internals", "blueprint", "server"},
    "fastapi": {"api", "openapi", "docs", "owner", "preview", "web", "question", "stream", "server"},
}


def sources() -> dict[str, str]:
    """The text of every room by its name: of a module, or of all modules of a package one after the other."""
    package = ROOT / "streamchat"
    texts = {"app": (ROOT / "app.py").read_text("utf-8")}
    for path in sorted(package.rglob("*.py")):
        room = path.relative_to(package).with_suffix("").parts[0]
        texts[room] = texts.get(room, "") + path.read_text("utf-8")
    return texts


def imported(source: str) -> set[str]:
    """The full names of all that a module imports, wherever in it and in whatever way."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import():
                found |= {alias.name for alias in node.names}
            case ast.ImportFrom():
                package = ".".join(filter(None, ["streamchat" if node.level else "", node.module]))
                found |= {f"{package}.{alias.name}" for alias in node.names}
    return found


def own(source: str) -> set[str]:
    """The rooms of streamchat that a module imports."""
    return {name.split(".")[1] for name in imported(source) if name.startswith("streamchat.")}


def floors() -> list[list[list[str]]]:
    """From the top: the rooms of each floor, each with its parts."""
    return [[room.split("+") for room in line.split()] for line in FLOORS.strip().splitlines()]


def below(module: str) -> set[str]:
    """What a module may import."""
    height = next(height for height, rooms in enumerate(floors()) if any(module in room for room in rooms))
    room = next(room for room in floors()[height] if module in room)
    return {room[0] for rooms in floors()[height + 1 :] for room in rooms} | set(room[room.index(module) + 1 :])


MODULES = sources()
STANDING = [module for rooms in floors() for room in rooms for module in room]


def test_every_module_has_its_floor() -> None:
    """A new file is given a place in the table before it is used, and a file that is gone leaves it."""
    assert sorted(STANDING) == sorted(MODULES.keys() - {"__init__"})


@pytest.mark.parametrize("module", STANDING)
def test_imports_point_downwards(module: str) -> None:
    """A module knows what stands below it, never what stands above or beside it: each can be read from below."""
    assert own(MODULES[module]) - {module} <= below(module)


def test_the_package_itself_imports_nothing() -> None:
    """Importing the package loads none of its rooms; the demo starts without the SDK."""
    assert imported(MODULES["__init__"]) == set()


@pytest.mark.parametrize("package", OWNERS)
def test_a_package_has_its_owner(package: str) -> None:
    """What a new release of a package breaks is in one room."""
    users = {name for name, source in MODULES.items() if package in {used.split(".")[0] for used in imported(source)}}
    assert users <= OWNERS[package]


def test_every_name_is_a_noun_that_says_what_is_inside() -> None:
    """No file is a drawer for things without a place."""
    names = [path.stem for folder in ("streamchat", "tests") for path in (ROOT / folder).rglob("*.py")]
    words = {word for name in names for word in re.split(r"[._]", name)}
    assert not words & {"util", "utils", "helper", "helpers", "manager", "managers", "base", "common", "misc"}


@pytest.mark.parametrize(
    "line",
    [
        "import streamchat.chat",
        "import os, streamchat.chat as rooms",
        "from streamchat import chat",
        "from streamchat.chat import Chat",
        "from . import chat",
        "from .chat import Chat",
        "def later():\n    from streamchat.chat import Chat",
        "if TYPE_CHECKING:\n    from streamchat.chat import Chat",
    ],
)
def test_no_import_is_overlooked(line: str) -> None:
    """An import counts however it is written: late, relative, under another name, or for types only."""
    assert own(line) == {"chat"}


def test_the_table_is_read_as_it_is_drawn() -> None:
    """A part belongs to its room: the room may import it, but not the other way round, and nobody else may."""
    assert below("claude") == {
        "progress",
        "seam",
        "clients",
        "wire",
        "keepalive",
        "capabilities",
        "complaints",
        "eventstream",
        "faults",
        "events",
        "settings",
        "limits",
        "keys",
        "demand",
        "deadlines",
        "meter",
        "visitor",
        "shelf",
        "environment",
        "listener",
        "outbound",
        "console",
        "logs",
        "content",
        "errors",
    }
    assert below("faults") == below("claude") - {
        "progress",
        "seam",
        "clients",
        "wire",
        "keepalive",
        "capabilities",
        "faults",
    }
    parts = {part for rooms in floors() for room in rooms for part in room[1:]}
    assert {"capabilities", "complaints", "eventstream", "faults", "progress", "seam", "wire"} <= parts
    assert below("app") == set(STANDING) - {"app"} - parts
    assert below("errors") == set()
