"""The package as `pip install .` installs it, in a folder of its own and outside of this one."""

import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.application import ROOT, Application

pytestmark = pytest.mark.process

INSTALL = ["-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]


def files(folder: Path) -> set[Path]:
    return {
        path.relative_to(folder)
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an installation. Nothing that the installation made is left in this one."""
    folder = tmp_path_factory.mktemp("installed")
    before = files(ROOT / "streamchat"), {path.name for path in ROOT.iterdir()}
    subprocess.run([sys.executable, *INSTALL, "--target", str(folder), str(ROOT)], check=True)
    assert (files(ROOT / "streamchat"), {path.name for path in ROOT.iterdir()}) == before
    return folder


def test_all_files_are_installed(installed: Path) -> None:
    """The styles, the scripts, the pages and the demo's answers are there, as is the marker of
    types; tests are not."""
    there = files(installed / "streamchat")
    assert there == files(ROOT / "streamchat")
    suffixes = {path.suffix for path in there}
    assert {".py", ".css", ".js", ".html", ".md", ".typed"} <= suffixes
    names = {path.name for path in installed.iterdir()}
    assert {name for name in names if not name.endswith(".dist-info")} <= {"streamchat", "bin"}


def test_its_packages_are_those_of_the_requirements(installed: Path) -> None:
    """One list says what is needed, however the chat is installed."""
    metadata = next(installed.glob("*.dist-info")).joinpath("METADATA").read_text("utf-8")
    required = [
        line.removeprefix("Requires-Dist: ").partition(";")[0]
        for line in metadata.splitlines()
        if line.startswith("Requires-Dist: ")
    ]
    lines = (ROOT / "requirements.txt").read_text("utf-8").splitlines()
    names = {line.partition(">")[0].partition("=")[0].strip() for line in lines}
    assert {line.partition("<")[0].partition(">")[0].strip() for line in required} == names


def test_the_command_serves_the_page(installed: Path, tmp_path: Path) -> None:
    """`streamchat` runs in any folder: it reads `.env` there, keeps its data there, and has all
    that a page needs."""
    (tmp_path / ".env").write_text("STREAMCHAT_OWNER_PASSWORD=eight letters")
    environment = {"PYTHONPATH": str(installed), "STREAMCHAT_DATA_DIR": "kept here"}
    command = (sys.executable, str(installed / "bin" / "streamchat"))
    with Application(command=command, cwd=tmp_path, **environment) as app:
        app.wait_for("Its owner's page is at")
        for path in ("/", "/docs"):
            assert httpx.get(app.url + path, timeout=30).status_code == 200
        ask = {"message": "Say nothing at all"}
        assert httpx.post(f"{app.url}/api/streaming-chat", json=ask, timeout=30).is_success
        assert (tmp_path / "kept here").is_dir()


@pytest.mark.parametrize("command", [["bin/streamchat"], ["-m", "streamchat"]])
def test_its_help(installed: Path, command: list[str]) -> None:
    """`streamchat --help` and `python -m streamchat --help` name the command that was typed."""
    first, *rest = command
    start = [str(installed / first)] if not rest else command
    run = subprocess.run(
        [sys.executable, *start, "--help"],
        env={**os.environ, "PYTHONPATH": str(installed)},
        cwd=installed,
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.startswith("usage: streamchat [-h]")


def test_importing_it_loads_nothing_slow(installed: Path) -> None:
    """`import streamchat` is for any program; Gradio and Claude's SDK load with the first use."""
    code = (
        "import sys, streamchat; streamchat.Text;"
        " print(sorted({'gradio', 'anthropic', 'fastapi'} & set(sys.modules)))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(installed)},
        cwd=installed,
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout == "[]\n"
