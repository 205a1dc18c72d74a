"""No test depends on a patched constant."""

import ast
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).parent


def patched(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """The objects and names that a test file sets through pytest's `monkeypatch`."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(
                func=ast.Attribute(attr="setattr"), args=[ast.Constant(value=str(path)), *_]
            ):
                where, _, name = path.rpartition(".")
                yield where, name
            case ast.Call(
                func=ast.Attribute(attr="setattr"),
                args=[place, ast.Constant(value=str(name)), *_],
            ):
                yield ast.unparse(place).partition(".")[0], name


def ours(tree: ast.Module) -> set[str]:
    """The names that a file imports from the package."""
    return {
        (alias.asname or alias.name).partition(".")[0]
        for node in ast.walk(tree)
        for alias in getattr(node, "names", ())
        if isinstance(node, ast.Import | ast.ImportFrom)
        and (getattr(node, "module", None) or alias.name).startswith("streamchat")
    }


def constants_patched(source: str) -> list[str]:
    tree = ast.parse(source)
    return [
        f"{place}.{name}"
        for place, name in patched(tree)
        if name.isupper() and (place in ours(tree) or place.startswith("streamchat."))
    ]


def test_no_test_patches_a_constant_of_the_package() -> None:
    """A bound that a test must lower is a parameter or a setting."""
    found = {path.name: constants_patched(path.read_text("utf-8")) for path in TESTS.rglob("*.py")}
    assert {name: names for name, names in found.items() if names} == {}


def test_a_patched_constant_is_found() -> None:
    """Patches by path, by module and by another name are found, and patches of others are not."""
    source = """
from streamchat.chat import errands as rooms
monkeypatch.setattr("streamchat.saved.routes.CHANGES", 1)
broken.setattr(rooms, "MOST", 2)
monkeypatch.setattr(rooms, "run", None)
monkeypatch.setattr(browser, "PATHS", ())
"""
    assert constants_patched(source) == ["streamchat.saved.routes.CHANGES", "rooms.MOST"]
