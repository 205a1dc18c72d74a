"""Files of settings as editors, shells and people write them."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from streamchat.system import envfile, environment

NAMES = ("STREAMCHAT_MODEL", "STREAMCHAT_AUTH", "STREAMCHAT_DATA_DIR", "ANTHROPIC_API_KEY")


@pytest.fixture(autouse=True)
def path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """The file, in an environment in which none of our variables is set."""
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    before = dict(os.environ)
    yield tmp_path / ".env"
    os.environ.clear()
    os.environ.update(before)


def read(path: Path, data: bytes | str) -> dict[str, str]:
    """Those of our variables that are set once the file has been read."""
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    envfile.read_file(path)
    return {name: os.environ[name] for name in NAMES if name in os.environ}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_any_editors_file_is_read(path: Path, encoding: str, end: str) -> None:
    """With a byte order mark or none, in UTF-16 as PowerShell writes it, with the line ends of any
    system."""
    lines = ["# mine", "STREAMCHAT_MODEL=claude-x", "STREAMCHAT_AUTH=eva:geheim", ""]
    found = read(path, end.join(lines).encode(encoding))
    assert found == {"STREAMCHAT_MODEL": "claude-x", "STREAMCHAT_AUTH": "eva:geheim"}


@pytest.mark.parametrize(
    "line",
    ["export {}", "{}", "  {}  ", "{} # mine", "export  {} "],
)
@pytest.mark.parametrize("value", ['"claude-x"', "'claude-x'", "claude-x"])
def test_any_shells_line_is_read(path: Path, line: str, value: str) -> None:
    """With `export`, quotation marks, blanks and a comment."""
    assert read(path, line.format(f"STREAMCHAT_MODEL={value}")) == {"STREAMCHAT_MODEL": "claude-x"}


@pytest.mark.parametrize("name", ["ANTHROPIC_API_KEY", "STREAMCHAT_AUTH"])
def test_an_empty_variable_leaves_it_to_the_file(
    path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An empty variable, as Compose sets it, does not hide the file's value."""
    monkeypatch.setenv(name, "")
    assert read(path, f"{name}=of-the-file") == {name: "of-the-file"}


def test_the_environment_comes_first(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable with a value wins over the file, and so does the one variable whose empty value
    has a meaning."""
    monkeypatch.setenv("STREAMCHAT_MODEL", "claude-y")
    monkeypatch.setenv("STREAMCHAT_DATA_DIR", "")
    found = read(path, "STREAMCHAT_MODEL=claude-x\nSTREAMCHAT_DATA_DIR=data")
    assert found == {"STREAMCHAT_MODEL": "claude-y", "STREAMCHAT_DATA_DIR": ""}


def test_no_file_is_no_mistake(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A missing file sets nothing and is not reported."""
    envfile.read_file(path)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    "text",
    ["sk-ant-api03-secret", "x\nANTHROPIC_API_KEY sk-secret", 'ANTHROPIC_API_KEY="sk-secret'],
)
def test_a_line_without_a_name_is_reported(
    path: Path, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The complaint has the line's number, and not the line, which may be a key."""
    assert read(path, text) == {}
    said = capsys.readouterr()
    assert f"of {path} is not NAME=value, and is ignored." in said.out
    assert "secret" not in said.out + said.err


@pytest.mark.parametrize("virtual", [False, True])
def test_a_folder_is_not_read(
    path: Path, virtual: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    """A folder, which Docker makes for a missing file, is reported; a virtual environment of that
    name is not."""
    path.mkdir()
    if virtual:
        (path / "pyvenv.cfg").touch()
    envfile.read_file(path)
    assert capsys.readouterr().out == (
        "" if virtual else f"{path} is a folder, so no settings are read from it.\n"
    )


@pytest.mark.parametrize(
    "data", [b"STREAMCHAT_MODEL=\xfc", b"\xff\xfeA", b"A=1\0B", b"\x7fELF\x02\0\0\0\xff\xff"]
)
def test_a_file_that_is_no_text_ends_the_start(
    path: Path, data: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file in another encoding, or a binary one, is named in a sentence."""
    with pytest.raises(SystemExit) as end:
        read(path, data)
    assert end.value.code == 2
    assert capsys.readouterr().err == (
        f"StreamChat cannot start: {path} is not text in UTF-8. Save it as UTF-8.\n"
    )


def test_a_file_that_cannot_be_read_ends_the_start(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The sentence has the reason: here a link to itself."""
    path.symlink_to(path)
    with pytest.raises(SystemExit):
        envfile.read_file(path)
    assert capsys.readouterr().err.startswith(
        f"StreamChat cannot start: {path} cannot be read: Too many levels"
    )


def test_gradio_hold_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Gradio's variable for notebooks is removed, because the launch would never return."""
    monkeypatch.setenv("GRADIO_DEBUG", "1")
    environment.set_defaults()
    assert "GRADIO_DEBUG" not in os.environ
