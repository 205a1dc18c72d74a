"""Requests that the whole app lets in or refuses."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from streamchat.api.routes import PATH
from streamchat.attachments import Bounds
from streamchat.web.bounds import QUESTION, with_files
from tests.application import ROOT, Application
from tests.scripted_claude import ScriptedClaude

ASK = "/gradio_api/call/chat"
HI = {"data": ["hi"]}
BEHIND_A_PROXY = {"host": "chat.internal", "origin": "https://chat.example"}


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
@pytest.mark.parametrize(
    "path", [ASK, "/gradio_api/queue/join", "/gradio_api/run/predict", "/gradio_api/cancel"]
)
def test_no_other_sites_page_asks_through_gradio(
    app: Application, page_claude: ScriptedClaude, path: str, site: str
) -> None:
    """Cross-site requests to Gradio's own routes are refused, although its CORS would allow
    them."""
    answer = httpx.post(
        f"{app.url}{path}", content=b'{"data": ["hi"]}', headers={"sec-fetch-site": site}
    )
    assert (answer.status_code, answer.json()["code"]) == (403, "foreign_page")
    assert page_claude.exchanges == []


@pytest.mark.parametrize(
    "headers", [{}, {"sec-fetch-site": "same-origin"}, {"sec-fetch-site": "none"}]
)
def test_the_own_page_asks_behind_a_proxy_that_names_it(
    app: Application, headers: dict[str, str]
) -> None:
    """Programs are let in, and so is the page under the name that a local proxy forwards."""
    proxied = {"x-forwarded-host": "127.0.0.1:8443", "origin": "https://127.0.0.1:8443"}
    assert httpx.post(f"{app.url}{ASK}", json=HI, headers=proxied | headers).status_code == 200


def test_a_proxy_under_an_unknown_name_is_told_which_setting_to_change(app: Application) -> None:
    """The answer and the log name the setting; a browser's claim to be same-origin does not
    help."""
    answer = httpx.post(
        f"{app.url}{ASK}", json=HI, headers=BEHIND_A_PROXY | {"sec-fetch-site": "same-origin"}
    )
    assert answer.status_code == 421
    assert "STREAMCHAT_HOSTS" in answer.json()["message"]
    assert app.wait_for("(A request for .*STREAMCHAT_HOSTS)")


def test_a_link_from_elsewhere_opens_the_chat(app: Application) -> None:
    """Another site may link to the page and frame it."""
    assert httpx.get(app.url, headers={"sec-fetch-site": "cross-site"}).status_code == 200


MAX_BODY = with_files(Bounds())[QUESTION].size


def parts() -> Iterator[bytes]:
    """A body of unknown length."""
    part = b" " * 1_000_000
    for _ in range(MAX_BODY // len(part) + 1):
        yield part


@pytest.mark.parametrize("chunked", [True, False])
@pytest.mark.parametrize("path", [ASK, "/gradio_api/run/predict"])
def test_a_body_without_end_is_not_kept(app: Application, path: str, chunked: bool) -> None:
    """A body above the bound is refused as soon as its length is announced or reached."""
    body = parts() if chunked else b"".join(parts())
    answer = httpx.post(
        f"{app.url}{path}", content=body, headers={"content-type": "application/json"}, timeout=30
    )
    assert answer.status_code == 413


@pytest.mark.parametrize("chunked", [True, False])
def test_a_program_reads_what_is_too_long(app: Application, chunked: bool) -> None:
    """The routes for programs refuse it with a code and a sentence."""
    body = parts() if chunked else b"".join(parts())
    answer = httpx.post(
        f"{app.url}{PATH}", content=body, headers={"content-type": "application/json"}, timeout=30
    )
    assert (answer.status_code, answer.json()["code"]) == (413, "too_long")


@pytest.mark.process
def test_no_strangers_file_is_stored(tmp_path: Path) -> None:
    """The chat takes no files, and keeps none that is sent anyway."""
    with Application(cwd=ROOT, GRADIO_TEMP_DIR=str(tmp_path)) as app:
        answer = httpx.post(
            f"{app.url}/gradio_api/upload", files={"files": ("page.html", b"<script>")}
        )
        assert answer.status_code == 404
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
