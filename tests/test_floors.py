import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

# A room is a package or a module at the top; a room imports only what stands below it. Beside one
# another, rooms do not know each other. A package within a package is a room of its own.
FLOORS = """
    app
    __main__
    start
    program
    process
    server
    saved   feedback   uploads
    ui   api   owner
    chat
    money
    store   sources   sources.demo   sources.claude
    replies   web   settings
    visitors   events
    attachments   options   look
    logo
    meter   errors   command   examples   texts   citations
    system
"""

OWNERS = {
    "aiohttp": {"sources.claude"},
    "PIL": {"attachments", "logo", "web"},
    "anthropic": {"sources.claude"},
    "fastapi": {"api", "feedback", "owner", "saved", "uploads", "web", "server"},
    "gradio": {"ui", "server"},
    "latex2mathml": {"saved"},
    "linkify_it": {"saved"},
    "markdown_it": {"saved"},
    "pypdfium2": {"attachments"},
    "sqlite3": {"store"},
}

# tables that are read as one: the tree of errors, and the settings
LONGER = {"errors": 380, "settings": 400}

# how a statement begins
SQL = re.compile(
    r"\s*(SELECT .+ FROM|INSERT (OR \w+ )?INTO|UPDATE \w+ SET|DELETE FROM|CREATE TABLE|PRAGMA) ",
    re.DOTALL,
)

PACKAGE = ROOT / "streamchat"


def rooms() -> list[str]:
    return [name for line in FLOORS.split("\n") for name in line.split()]


@cache
def room_of(module: str) -> str:
    """The innermost package that holds a module, such as `sources.demo` for
    `sources.demo.source`."""
    parts = module.split(".")
    names = [".".join(parts[:length]) for length in range(len(parts), 0, -1)]
    return next((name for name in names if name in rooms()), parts[0])


def sources() -> dict[str, str]:
    """The text of every module by its full name inside streamchat; a package's `__init__` has the
    package's name."""
    texts = {"app": (ROOT / "app.py").read_text("utf-8")}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        texts[".".join(parts).removesuffix(".__init__")] = path.read_text("utf-8")
    return texts


@cache
def imported(source: str) -> set[str]:
    """The full names of everything that a module imports, anywhere in it and in any form."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import():
                found |= {alias.name for alias in node.names}
            case ast.ImportFrom():
                package = ".".join(filter(None, ["streamchat" if node.level else "", node.module]))
                found |= {f"{package}.{alias.name}" for alias in node.names}
    return found


def own(source: str) -> set[str]:
    """The full names inside streamchat that a module imports."""
    return {
        name.removeprefix("streamchat.")
        for name in imported(source)
        if name.startswith("streamchat.")
    }


def below(room: str) -> set[str]:
    """The rooms that a room may import."""
    lines = [line.split() for line in FLOORS.strip().splitlines()]
    height = next(height for height, names in enumerate(lines) if room in names)
    return {name for names in lines[height + 1 :] for name in names}


@cache
def public(room: str) -> list[str]:
    """The names that a package gives to others."""
    for node in ast.parse(MODULES[room]).body:
        match node:
            case ast.Assign(targets=[ast.Name(id="__all__")], value=value):
                return list(ast.literal_eval(value))
    return []


MODULES = sources()
INSIDE = sorted(MODULES.keys() - {"__init__"})
PACKAGES = [room for room in rooms() if (PACKAGE / room.replace(".", "/")).is_dir()]


@cache
def neighbours(module: str) -> set[str]:
    """The modules of its own room that a module imports."""
    room = room_of(module)
    names = {name for full in own(MODULES[module]) for name in (full, full.rpartition(".")[0])}
    return {
        name for name in names if name in MODULES and name != room and room_of(name) == room
    } - {module}


def test_every_module_has_its_room() -> None:
    """Every module is in a package of the table, and every package of the table exists."""
    assert {room_of(module) for module in INSIDE} == set(rooms())


def test_imports_point_downwards() -> None:
    """A package imports lower floors only, never its own floor or a higher one."""
    upward = [
        f"{module} imports {name}"
        for module in INSIDE
        for name in sorted(own(MODULES[module]))
        if room_of(name) not in below(room_of(module)) | {room_of(module)}
    ]
    assert not upward, "\n".join(upward)


def test_modules_of_a_room_are_in_order() -> None:
    """The modules of a package have no import cycle."""
    assert [module for module in INSIDE if module in reached(module)] == []


def reached(module: str) -> set[str]:
    """The modules of its own room that a module imports, directly or through others."""
    seen: set[str] = set()
    ahead = neighbours(module)
    while ahead:
        seen |= ahead
        ahead = {name for each in ahead for name in neighbours(each)} - seen
    return seen


def test_a_package_is_used_by_the_names_that_it_gives() -> None:
    """Other packages import a package's `__all__` names, or names of a module listed there."""
    private = [
        f"{module} imports {name}"
        for module in INSIDE
        for name in sorted(own(MODULES[module]))
        if room_of(name) != room_of(module) and is_private(name)
    ]
    assert not private, "\n".join(private)


def is_private(name: str) -> bool:
    room = room_of(name)
    if room not in PACKAGES or name in PACKAGES:
        return False
    return name.removeprefix(f"{room}.").split(".")[0] not in public(room)


def test_a_package_names_only_what_it_has() -> None:
    """Each name in `__all__` is a module of the package, or imported in its `__init__` from one."""
    assert [package for package in PACKAGES if not public(package)] == []
    unknown = [
        f"{package} names {name}"
        for package in PACKAGES
        for name in public(package)
        if name not in inside(package)
    ]
    assert not unknown, "\n".join(unknown)


def inside(package: str) -> set[str]:
    """The names that a package may give to others."""
    imports = {name.rpartition(".")[2] for name in own(MODULES[package])}
    start = f"{package}."
    modules = {name.removeprefix(start) for name in MODULES if name.startswith(start)}
    return imports | {name.split(".")[0] for name in modules}


def test_the_package_itself_imports_nothing() -> None:
    """Importing the package loads none of its rooms; the demo starts without the SDK."""
    lines = [node for node in ast.parse(MODULES["__init__"]).body if not isinstance(node, ast.If)]
    assert own(ast.unparse(ast.Module(lines, []))) == imported(MODULES["sources"]) == set()


def test_a_package_has_its_owner() -> None:
    """Each dependency is imported only by the packages that own it, so that its next release breaks
    one place."""
    strangers = [
        f"{module} imports {name}"
        for module, source in MODULES.items()
        for name in sorted(imported(source))
        if room_of(module) not in OWNERS.get(name.split(".")[0], {room_of(module)})
    ]
    assert not strangers, "\n".join(strangers)


def test_sql_stands_in_the_store() -> None:
    """Only the package `store` has SQL."""
    outside = [
        f"{module}:{node.lineno}"
        for module in INSIDE
        if room_of(module) != "store"
        for node in ast.walk(ast.parse(MODULES[module]))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and SQL.match(node.value)
    ]
    assert not outside, "\n".join(outside)


def test_a_file_can_be_read_in_one_go() -> None:
    """No file is longer than the limit."""
    lengths = {module: len(MODULES[module].splitlines()) for module in INSIDE}
    too_long = {name: length for name, length in lengths.items() if length > LONGER.get(name, 250)}
    assert not too_long, too_long


def test_a_file_that_is_parted_may_be_long_no_more() -> None:
    """Each exception from the limit is needed."""
    assert all(len(MODULES[module].splitlines()) > 250 for module in LONGER)


def test_every_name_is_a_noun_that_says_what_is_inside() -> None:
    """No module has a name for things without a place, such as `utils`."""
    names = [
        path.stem for folder in ("streamchat", "tests") for path in (ROOT / folder).rglob("*.py")
    ]
    words = {word for name in names for word in re.split(r"[._]", name)}
    assert not words & {
        "util",
        "utils",
        "helper",
        "helpers",
        "manager",
        "managers",
        "base",
        "common",
        "misc",
    }


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("import streamchat.chat", "chat"),
        ("import os, streamchat.chat as rooms", "chat"),
        ("from streamchat import chat", "chat"),
        ("from streamchat.chat import Chat", "chat.Chat"),
        ("from . import chat", "chat"),
        ("from .chat import Chat", "chat.Chat"),
        ("def later():\n    from streamchat.chat import Chat", "chat.Chat"),
        ("if TYPE_CHECKING:\n    from streamchat.chat import Chat", "chat.Chat"),
    ],
)
def test_no_import_is_overlooked(line: str, name: str) -> None:
    """An import inside a function, a relative one, one under another name and one for types only
    are all found."""
    assert own(line) == {name}


def test_the_table_is_read_as_it_is_drawn() -> None:
    """A room may import the floors below its own and nothing else."""
    assert below("errors") == {"system"}
    assert below("chat") == below("money") | {"money"}
    assert below("saved") == below("ui") | {"ui", "api", "owner"}
    assert below("ui") == below("api") == below("owner")
    assert below("app") == set(rooms()) - {"app"}
    assert below("system") == set()
