import ast
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests import browser
from tests.__main__ import ROOT, first_failure, missing

COMMAND = (
    "python3 -m venv .venv && .venv/bin/pip install -r tests/requirements.txt && .venv/bin/python"
    " -m tests"
)
REQUIREMENTS = ("requirements.txt", "tests/requirements.txt")


def text(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def packages(path: str) -> list[str]:
    return [line for line in text(path).splitlines() if not line.startswith("-r")]


def front_matter() -> dict[str, str]:
    lines = text("README.md").split("---\n")[1].splitlines()
    return {key: value.strip("\"'") for key, value in (line.split(": ", 1) for line in lines)}


def gradio() -> Requirement:
    return next(
        found
        for line in packages("requirements.txt")
        if (found := requirement(line)).name == "gradio"
    )


def requirement(line: str) -> Requirement:
    return Requirement(line.partition("#")[0])


def executable(path: Path, script: str) -> Path:
    path.write_text(script)
    path.chmod(0o755)
    return path


@pytest.fixture
def bare_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine without a browser, whose PATH has only this folder."""
    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path))
    monkeypatch.setattr(browser, "MAC_APPLICATIONS", ())
    return tmp_path


@pytest.mark.parametrize("path", ["README.md", ".ci/run"])
def test_one_command(path: str) -> None:
    """The same command tests a fresh clone by hand and in CI."""
    assert COMMAND in text(path)


PAGES = [
    path for folder in (".", "docs", ".github") for path in sorted((ROOT / folder).glob("*.md"))
]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    """Each link to a file of the project, and each picture, exists."""
    links = re.findall(r"\]\(([^)#:]+)(?:#[\w-]*)?\)", page.read_text("utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_the_readme_is_short() -> None:
    """Details are in docs/."""
    assert len(text("README.md").splitlines()) <= 120


def test_workflow_runs_ci() -> None:
    """The workflow runs the same command as everybody, without steps of its own."""
    assert re.findall(r"\brun: (.+)", text(".github/workflows/test.yml")) == [".ci/run"]


@pytest.mark.parametrize("line", [line for path in REQUIREMENTS for line in packages(path)])
def test_reasons(line: str) -> None:
    """Each requirement has its reason behind it."""
    assert re.search(r" # \w+", line)


@pytest.mark.parametrize("line", [line for path in REQUIREMENTS for line in packages(path)])
def test_bounds(line: str) -> None:
    """Each requirement excludes the next major release."""
    assert {found.operator for found in requirement(line).specifier} & {"<", "=="}


def test_space_sdk() -> None:
    """A Space's Gradio version is one that the requirements allow and the tests use."""
    space = front_matter()
    assert space["sdk"] == "gradio"
    assert space["sdk_version"] in gradio().specifier
    assert space["sdk_version"].split(".")[:2] == version("gradio").split(".")[:2]


def test_space_python() -> None:
    """A Space's Python is one that the workflow tests."""
    tested = re.search(r"python: \[(.+)\]", text(".github/workflows/test.yml"))
    assert tested
    assert front_matter()["python_version"] in re.findall(r"[\d.]+", tested[1])


def test_space_app() -> None:
    """A Space finds its app."""
    assert (ROOT / front_matter()["app_file"]).is_file()


def test_space_license() -> None:
    """A Space's page names the license that the repository has."""
    assert front_matter()["license"] == "mit"
    assert text("LICENSE").startswith("MIT License\n")


def test_space_description() -> None:
    """A Space's card shows the whole description, which is cut at 60 characters."""
    assert 0 < len(front_matter()["short_description"]) <= 60


def test_nothing_is_skipped() -> None:
    """A test without its requirements fails."""
    trees = [
        ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        for path in (ROOT / "tests").glob("**/*.py")
    ]
    used = {name for tree in trees for node in tree for name in names(node)}
    assert not used & {"skip", "skipif", "importorskip", "SkipTest", "skipUnless", "skipIf"}


def names(node: ast.AST) -> list[str]:
    match node:
        case ast.Attribute():
            return [node.attr]
        case ast.ImportFrom():
            return [alias.name for alias in node.names]
    return []


def test_packages_are_here() -> None:
    """All packages of both requirement files are installed."""
    assert missing() == []


@pytest.mark.process
def test_a_missing_package() -> None:
    """Without its packages the command says which to install, and how."""
    without_packages = [sys.executable, "-S", "-m", "tests"]
    run = subprocess.run(without_packages, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 2
    assert re.fullmatch(
        r"gradio, .*mypy missing; run: .+ -m pip install -r tests/requirements\.txt\n", run.stderr
    )


@pytest.mark.process
def test_the_first_failure(capfd: pytest.CaptureFixture[str]) -> None:
    """The run ends with the first failing check and its exit code; each check has a heading."""
    assert first_failure([["platform"], ["nowhere"], ["this"]]) == 1
    assert re.findall(r"^== (.+)", capfd.readouterr().out, re.MULTILINE) == ["platform", "nowhere"]


@pytest.mark.process
def test_no_browser(bare_machine: Path) -> None:
    """`find` returns nothing on a machine without a browser."""
    assert browser.find() is None


@pytest.mark.process
def test_a_stub_for_a_browser(bare_machine: Path) -> None:
    """A command with a browser's name that starts none is skipped."""
    executable(bare_machine / "chromium-browser", "#!/bin/sh\nexit 1\n")
    assert browser.find() is None


@pytest.mark.parametrize(
    ("name", "complaint"), [("absent", "does not exist"), ("stub", "does not start")]
)
@pytest.mark.process
def test_a_wrong_chromium(
    name: str, complaint: str, bare_machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A CHROMIUM that is no browser is an error."""
    stub = executable(bare_machine / "stub", "#!/bin/sh\nexit 1\n")
    monkeypatch.setenv("CHROMIUM", str(stub.with_name(name)))
    with pytest.raises(browser.NoBrowser, match=complaint):
        browser.find()


@pytest.mark.process
def test_nothing_to_install(bare_machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says what to install by hand."""
    monkeypatch.setattr(browser, "recipes", lambda *_: iter([[["/bin/false"]], [["/bin/true"]]]))
    with pytest.raises(browser.NoBrowser, match="install Chromium or Google Chrome"):
        browser.install()


@pytest.mark.parametrize(
    ("distribution", "as_root", "expected"),
    [
        ({"debian"}, [], ["apt-get", "--with-deps", "chromium"]),
        ({"raspbian", "debian"}, ["sudo", "-n"], ["sudo", "--with-deps", "chromium"]),
        ({"ubuntu", "debian"}, [], ["--with-deps", "chromium"]),
        ({"debian"}, None, ["chromium"]),
        (set(), None, ["chromium"]),
    ],
)
def test_ways_to_install(
    distribution: set[str], as_root: list[str] | None, expected: list[str]
) -> None:
    """Debian's own Chromium comes first, Ubuntu's never, and no way asks for a password."""
    ways = list(browser.recipes(distribution, as_root))
    assert len(ways) == len(expected)
    assert all(word in steps[-1] for word, steps in zip(expected, ways, strict=True))
