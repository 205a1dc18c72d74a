"""Gradio's routes that give away files, run code or waste memory are closed."""

import json
import re
import subprocess
import sys
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from streamchat.web.allowlist import gradios
from tests.application import ROOT, Application, install

REFUSED = """
    GET    /logout
    GET    /svelte/{path:path}
    GET    /pwa_icon
    GET    /pwa_icon/{size}
    GET    /monitoring
    GET    /monitoring/summary
    GET    /monitoring/{key}
    POST   /login
    POST   /login/
    GET    /config/
    GET    /gradio_api/info/
    GET    /gradio_api/login_check
    GET    /gradio_api/login_check/
    GET    /gradio_api/user
    GET    /gradio_api/user/
    GET    /gradio_api/token
    GET    /gradio_api/token/
    GET    /gradio_api/app_id/
    GET    /gradio_api/theme.css
    GET    /gradio_api/openapi.json
    GET    /gradio_api/dev/reload
    GET    /gradio_api/runs
    GET    /gradio_api/runs/
    GET    /gradio_api/deep_link
    GET    /gradio_api/custom_component/{id}/{environment}/{type}/{file_name}
    GET    /gradio_api/proxy={url_path:path}
    GET    /gradio_api/file={path_or_url:path}
    GET    /gradio_api/file/{path:path}
    GET    /gradio_api/stream/{session_hash}/{run}/{component_id}/playlist.m3u8
    GET    /gradio_api/stream/{session_hash}/{run}/{component_id}/{segment_id}.{ext}
    GET    /gradio_api/stream/{session_hash}/{run}/{component_id}/playlist-file
    POST   /gradio_api/stream/{event_id}
    POST   /gradio_api/stream/{event_id}/close
    POST   /gradio_api/reset/
    POST   /gradio_api/api/{api_name}
    POST   /gradio_api/api/{api_name}/
    POST   /gradio_api/run/{api_name}/
    POST   /gradio_api/call/{api_name}/
    POST   /gradio_api/call/v2/{api_name}/
    POST   /gradio_api/component_server
    POST   /gradio_api/component_server/
    GET    /gradio_api/queue/status
    POST   /gradio_api/upload
    GET    /gradio_api/upload_progress
    POST   /gradio_api/process_recording
    POST   /gradio_api/vibe-edit
    POST   /gradio_api/vibe-edit/
    POST   /gradio_api/undo-vibe-edit
    POST   /gradio_api/undo-vibe-edit/
    GET    /gradio_api/vibe-code
    GET    /gradio_api/vibe-code/
    POST   /gradio_api/vibe-code
    POST   /gradio_api/vibe-code/
    POST   /gradio_api/vibe-starter-queries
    POST   /gradio_api/vibe-starter-queries/
"""
ROUTES = """
import json, os, app
def routes(found):
    for route in found:
        inner = getattr(route, "original_router", route)
        yield from routes(inner.routes) if getattr(inner, "routes", None) else [(sorted(route.methods), route.path)]
app.app.launch()
own = {route.path for route in app.app.routes()}
found = routes(app.demo.app.routes)
print(json.dumps([(method, path, path in own) for methods, path in found for method in methods]), flush=True)
os._exit(0)
"""


def refused() -> set[tuple[str, str]]:
    return {
        (method, path) for line in REFUSED.strip().splitlines() for method, path in [line.split()]
    }


def allowed() -> set[tuple[str, str]]:
    return {(method, shape(route.path)) for route in gradios() for method in route.methods or ()}


def shape(path: str) -> str:
    """A path whose parameters have no names."""
    return re.sub(r"\{[^}]*\}", "{}", path)


def routes() -> list[tuple[str, str, bool]]:
    """Method, path and origin of all routes of the running app."""
    environment = {
        "STREAMCHAT_DATA_DIR": "",
        "STREAMCHAT_OWNER_PASSWORD": "long enough",
        "PATH": "/usr/bin:/bin",
    }
    printed = subprocess.check_output(
        [sys.executable, "-c", ROUTES], cwd=ROOT, env=environment, text=True
    )
    return [(method, path, own) for method, path, own in json.loads(printed.splitlines()[-1])]


@pytest.mark.process
def test_every_route_of_the_running_app_is_allowed_or_refused_on_purpose() -> None:
    """A route that a new Gradio adds fails this test, and is a 404 until it is on a list."""
    found = routes()
    assert ("POST", "/gradio_api/queue/join", False) in found
    undecided = [
        (method, path)
        for method, path, own in found
        if not own
        and method != "HEAD"
        and (method, shape(path)) not in allowed()
        and (method, path) not in refused()
    ]
    assert undecided == []


@pytest.mark.parametrize(("method", "path"), sorted(refused()))
def test_no_visitor_reaches_a_refused_route(app: Application, method: str, path: str) -> None:
    """Files, proxies, uploads, deep links, media streams, monitoring and developer tools are a 404."""
    answer = httpx.request(method, app.url + re.sub(r"\{[^}]*\}", "1", path), timeout=5)
    assert (answer.status_code, answer.json()["code"]) in [
        (404, "not_found"),
        (405, "method_not_allowed"),
    ]


SECRET = ".env.example"
EVASIONS = [
    f"/gradio_api/file={SECRET}",
    f"/gradio_api/file%3D{SECRET}",
    f"/gradio_api/%66ile={SECRET}",
    f"/gradio_api//file={SECRET}",
    f"//gradio_api/file={SECRET}",
    f"/./gradio_api/file={SECRET}",
    f"/config/../gradio_api/file={SECRET}",
    f"/static/../gradio_api/file={SECRET}",
    f"/GRADIO_API/FILE={SECRET}",
    f"/gradio_api/file={SECRET}/",
    f"/gradio_api/file={SECRET}?x=/config",
    f"/gradio_api/file={SECRET}%00",
    f"/gradio_api\\file={SECRET}",
    f"/gradio_api/call/file={SECRET}",
    "/gradio_api/file=http://127.0.0.1/",
    "/gradio_api/file=https%3A%2F%2Fexample.org%2Fx.png",
    "/gradio_api/proxy=https://a.hf.space/",
    "/gradio_api/file//etc/passwd",
    f"/static/../../../../../../../../..{ROOT}/{SECRET}",
    f"/static/%2e%2e/%2e%2e/%2e%2e{ROOT}/{SECRET}",
    "/static/..%2f..%2froutes.py",
    "/assets/../../../routes.py",
    "/assets/%2e%2e/%2e%2e/%2e%2e/routes.py",
    "/assets//etc/passwd",
    "/assets/.%00./x",
    "/svelte/svelte.js",
    "/?deep_link=x",
    "/?a=1&deep_link=x",
    "/?deep%5Flink=x",
    "/?deep_link",
    "/config?deep_link=x",
    "/config?deep_link=",
    "/gradio_api/deep_link?session_hash=abc123",
    "/gradio_api/heartbeat/" + "x" * 65,
    "/gradio_api/heartbeat/a%2fb",
    "/gradio_api/heartbeat/a%0Ab",
    "/gradio_api/call/chat/" + "x" * 65,
    "/gradio_api/call/v2/chat/../../file",
    "/logout",
    "/logout/",
    "/logout?all_session=false",
    "/gradio_api/dev/reload",
    "/theme.css/",
    "/config;x",
]


@pytest.mark.parametrize("path", EVASIONS)
def test_no_spelling_of_a_path_gets_around_the_allowlist(app: Application, path: str) -> None:
    """Percent-encoding, doubled slashes, dots, upper case and queries lead to nothing but a
    refusal."""
    assert asked(app, "GET", path)[0] in (404, 405)


@pytest.mark.parametrize(
    "method", ["HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "get", "PROPFIND"]
)
@pytest.mark.parametrize(
    "path", [f"/gradio_api/file={SECRET}", "/gradio_api/upload", "/?deep_link=x", "/logout"]
)
def test_no_method_gets_around_the_allowlist(app: Application, method: str, path: str) -> None:
    """An unknown method, or one in lower case, does not open a refused route."""
    assert asked(app, method, path)[0] in (400, 404, 405)


@pytest.mark.parametrize(
    ("header", "value"), [("X-Forwarded-Prefix", "/x"), ("X-Original-URL", "/config")]
)
def test_no_header_gets_around_the_allowlist(app: Application, header: str, value: str) -> None:
    """No header changes the path that the allowlist checks."""
    assert asked(app, "GET", f"/gradio_api/file={SECRET}", {header: value})[0] == 404


@pytest.mark.process
def test_a_page_of_a_program_under_development_is_told_of_changes() -> None:
    """`gradio app.py` keeps its stream of changes, and no other page has it."""
    command = (sys.executable, "-c", "from gradio.cli import cli; cli()", "app.py")
    with (
        Application(command=command) as app,
        httpx.stream("GET", f"{app.url}/gradio_api/dev/reload", timeout=20) as changes,
    ):
        assert changes.status_code == 200
        assert changes.headers["content-type"].startswith("text/event-stream")


@pytest.mark.process
def test_a_program_under_development_is_as_closed_as_any_other(tmp_path: Path) -> None:
    """`gradio app.py` has the allowlist, hosts, headers and routes of the whole chat, before and
    after a change."""
    command = (sys.executable, "-c", "from gradio.cli import cli; cli()", "app.py")
    program = install(tmp_path)
    with (
        Application(command=command, cwd=program.parent) as app,
        httpx.stream("GET", f"{app.url}/gradio_api/dev/reload", timeout=60) as changes,
    ):
        for changed in (False, True):
            if changed:
                program.write_text(program.read_text("utf-8") + "\n# changed\n", "utf-8")
                assert any(
                    '"reload"' in line or "event: reload" in line for line in changes.iter_lines()
                )
            for path in (
                f"/gradio_api/file={SECRET}",
                "/gradio_api/monitoring",
                "/gradio_api/vibe-editor",
            ):
                assert httpx.get(f"{app.url}{path}").status_code == 404
            assert httpx.get(f"{app.url}/", headers={"Host": "rebind.test"}).status_code == 421
            assert "script-src" in httpx.get(f"{app.url}/").headers["content-security-policy"]
            assert httpx.get(f"{app.url}/api/health").json()["source"] == "The demo"


def test_logging_out_takes_more_than_a_link(app: Application) -> None:
    """A GET request for `/logout` does not end a session."""
    status, headers = asked(app, "GET", "/logout")
    assert status in (404, 405)
    assert "set-cookie" not in headers


def asked(
    app: Application, method: str, path: str, headers: dict[str, str] | None = None
) -> tuple[int, set[str]]:
    """The status for exactly this path, and the names of the headers."""
    connection = HTTPConnection(urlsplit(app.url).netloc, timeout=5)
    connection.putrequest(method, path, skip_accept_encoding=True)
    for name, value in (headers or {}).items():
        connection.putheader(name, value)
    connection.endheaders()
    answer = connection.getresponse()
    names = {name.lower() for name in answer.headers}
    connection.close()
    return answer.status, names
