"""The page about the HTTP routes."""

import httpx
import pytest
from playwright.sync_api import BrowserContext, expect

from tests import violations
from tests.application import Application
from tests.scripted_claude import ScriptedClaude, says


@pytest.mark.parametrize("path", ["/docs", "/docs/page.js", "/docs/page.css", "/openapi.json"])
def test_every_part_of_the_docs_is_served(app: Application, path: str) -> None:
    """The page loads no file from another server."""
    answer = httpx.get(app.url + path)
    assert answer.status_code == 200
    assert "://" not in answer.text
    assert httpx.head(app.url + path).status_code == 200


def test_the_docs_describe_our_own_routes_alone(app: Application) -> None:
    """Gradio's routes are left out: they are no interface for programs, and most are refused."""
    assert {
        path.split("/")[1] for path in httpx.get(app.url + "/openapi.json").json()["paths"]
    } == {"api"}


def test_the_docs_work_without_another_server(
    app: Application, context: BrowserContext, page_claude: ScriptedClaude
) -> None:
    """The page lists and tries the routes, asks no other host and violates no policy."""
    found = violations.watch(context)
    asked: list[str] = []
    context.on("request", lambda request: asked.append(request.url))
    page_claude.play(says("A reply ", "as text."))
    page = context.new_page()
    page.goto(app.url + "/docs")
    expect(page.locator("section")).to_have_count(5)
    ask = page.locator("section", has=page.get_by_text("POST"))
    ask.get_by_role("button", name="Send").click()
    expect(ask.locator("pre")).to_contain_text("A reply as text.")
    health = page.locator("section", has_text="/api/health")
    health.get_by_role("button", name="Send").click()
    expect(health.locator("pre")).to_contain_text("Claude")
    assert not [url for url in asked if not url.startswith((app.url, "data:"))]
    assert found == []
