"""Attacks with responses that are framed, sniffed or read as a page."""

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from streamchat.web.headers import PagePolicy, SecurityHeaders, script_hash
from tests.application import Application

CLOSED = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

ANSWERS = {
    "page": ("GET", "/", 200),
    "page's head": ("HEAD", "/", 200),
    "configuration": ("GET", "/config", 200),
    "style": ("GET", "/theme.css", 200),
    "picture": ("GET", "/static/img/logo.svg", 200),
    "no asset": ("GET", "/assets/nothing.js", 404),
    "docs": ("GET", "/docs", 200),
    "schema": ("GET", "/openapi.json", 200),
    "health": ("GET", "/api/health", 200),
    "no reply": ("GET", "/api/streaming-chat/nothing", 404),
    "no question": ("POST", "/api/streaming-chat", 415),
    "owner, not set up": ("GET", "/owner/nothing", 404),
    "app id": ("GET", "/gradio_api/app_id", 200),
    "info": ("GET", "/gradio_api/info", 200),
    "no event": ("POST", "/gradio_api/run/nothing", 422),
    "no join": ("POST", "/gradio_api/queue/join", 422),
    "refused route": ("GET", "/gradio_api/file=/etc/passwd", 404),
    "nothing": ("GET", "/nothing", 404),
    "wrong method": ("DELETE", "/", 405),
    "preflight": ("OPTIONS", "/gradio_api/queue/join", None),
}


@pytest.mark.parametrize("answer", ANSWERS)
def test_every_answer_has_the_security_headers(app: Application, answer: str) -> None:
    """No response, whatever its route and status, can be framed or sniffed, or leaks an address to
    another site."""
    method, path, status = ANSWERS[answer]
    preflight = (
        {"origin": app.url, "access-control-request-method": "POST"} if method == "OPTIONS" else {}
    )
    response = httpx.request(method, app.url + path, headers=preflight)
    if status:
        assert response.status_code == status
    assert response.headers["referrer-policy"] == "no-referrer"
    assert response.headers["x-content-type-options"] == "nosniff"
    (policy,) = response.headers.get_list("content-security-policy")
    assert policy.startswith("default-src 'none'")
    assert "frame-ancestors 'none'" in policy or path == "/"
    assert "unsafe-eval" not in policy
    assert "'unsafe-inline'" not in policy.partition("script-src")[2].partition(";")[0]


def served(app: ASGIApp) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://chat")


def fails(_: Request) -> Response:
    raise ZeroDivisionError


def own_policy(_: Request) -> Response:
    return PlainTextResponse("", headers={"content-security-policy": "sandbox"})


async def test_a_failure_that_nothing_foresaw_has_the_headers() -> None:
    """The response of the outermost error handler has the security headers."""
    async with served(SecurityHeaders(Starlette(routes=[Route("/fails", fails)]))) as client:
        response = await client.get("/fails")
    assert response.status_code == 500
    assert response.headers["content-security-policy"] == CLOSED


async def test_a_route_may_have_a_policy_of_its_own() -> None:
    """The general policy does not replace the policy of a single route."""
    async with served(SecurityHeaders(Starlette(routes=[Route("/own", own_policy)]))) as client:
        response = await client.get("/own")
    assert response.headers.get_list("content-security-policy") == ["sandbox"]


SHARED = '<script type="module" src="https://gradio.s3-us-west-2.amazonaws.com/6.31.0/gradio.js"></script>'


def page_with(html: str, **policy: list[str]) -> ASGIApp:
    """The same page at `/` and at `/other`, behind this compression."""

    def page(_: Request) -> Response:
        return StreamingResponse(iter([html[:20], html[20:]]), media_type="text/html")

    def other(_: Request) -> Response:
        return HTMLResponse(html)

    middleware = [Middleware(GZipMiddleware), Middleware(PagePolicy, **policy)]
    routes = [Route("/", page), Route("/other", other)]
    return SecurityHeaders(Starlette(routes=routes, middleware=middleware))


async def script_sources(html: str, path: str = "/", **policy: list[str]) -> set[str]:
    async with served(page_with(html, **policy)) as client:
        response = await client.get(path)
    assert response.text == html
    directives = dict(
        part.split(" ", 1) for part in response.headers["content-security-policy"].split("; ")
    )
    return set(directives.get("script-src", "'none'").split())


async def test_inline_scripts_of_the_page_run_by_their_hash() -> None:
    """The policy has the hash of each inline script in the page, in any spelling of its tag, and of
    those that the front end adds."""
    html = (
        "<script>one</script><SCRIPT data-x>two\n</SCRIPT><script src='/x.js'></script>"
        + "." * 1_000
    )
    expected = {"'self'", script_hash(b"one"), script_hash(b"two\n"), script_hash(b"ui")}
    assert await script_sources(html, scripts=["ui"]) == expected


async def test_only_the_page_has_the_policy_of_the_page() -> None:
    """HTML of other routes may run no script."""
    assert await script_sources("<script>one</script>", "/other") == {"'none'"}


async def test_the_page_of_a_share_link_loads_its_front_end() -> None:
    """The policy of a share link's page allows the folder of Gradio's front end, and nothing beside
    it."""
    assert await script_sources(SHARED) == {
        "'self'",
        "https://gradio.s3-us-west-2.amazonaws.com/6.31.0/",
    }


@pytest.mark.parametrize(
    "host", ["example.org", "gradio.s3-us-west-2.amazonaws.com.example.org", "a'; script-src *"]
)
async def test_no_other_host_is_allowed_because_a_page_names_it(host: str) -> None:
    """A host in the page's text does not get into the page's policy."""
    html = SHARED.replace("gradio.s3-us-west-2.amazonaws.com", host)
    assert await script_sources(html) == {"'self'"}


async def test_only_the_chosen_sites_may_frame_the_page() -> None:
    """On a Space, Hugging Face may frame the page; elsewhere only the chat itself may."""
    for ancestors, expected in (
        ([], "'self'"),
        (["https://huggingface.co"], "'self' https://huggingface.co"),
    ):
        async with served(page_with("<p>", ancestors=ancestors)) as client:
            policy = (await client.get("/")).headers["content-security-policy"]
        assert policy.endswith(f"frame-ancestors {expected}")
