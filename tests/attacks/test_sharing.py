"""Attacks on shared conversations: by strangers, and by hostile words in them."""

import asyncio
import re
import sqlite3
import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamchat.look import Look
from streamchat.saved import Rates
from streamchat.saved.formulas import GROWTH, MOST
from streamchat.saved.markup import drawn
from streamchat.saved.page import Page, content
from streamchat.saved.rendering import PART, Rendering
from streamchat.saved.snapshot import MAX_WORDS, Snapshot
from streamchat.server import Running, create
from streamchat.settings import Settings
from streamchat.store import NAME, Card, Store, conversations, shares
from streamchat.store.database import PRUNE_EVERY
from streamchat.store.shares import Share
from streamchat.web.shell import Shell
from tests.hand import Ticking, settle
from tests.reader import Reader
from tests.served import until

SECRET = "A zebra called Marmalade"
UNKNOWN = (404, "unknown_conversation")


def settings_of(folder: Path, **given: str) -> Settings:
    return Settings(data_dir=str(folder), rate_limit="off", **given)  # type: ignore[arg-type]


@pytest.fixture(autouse=True, scope="module")
def without_key() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("ANTHROPIC_API_KEY", "")
        yield


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with create(settings_of(tmp_path_factory.mktemp("kept"))).launch() as running:
        yield running


@pytest.fixture(scope="module")
def owner(here: Running) -> Iterator[Reader]:
    with Reader(here.url) as reader:
        yield reader


@pytest.fixture(scope="module")
def id_(owner: Reader) -> str:
    return owner.asks(SECRET)


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_another_browser_neither_shares_nor_withdraws(
    owner: Reader, thief: Reader, id_: str, method: str
) -> None:
    """A stranger gets the answer for an unknown id, and the link stays."""
    url = owner.shares(id_)
    answers = [
        thief.client.request(method, f"conversations/{each}/share")
        for each in (id_, "x" * len(id_), "a.b", "x" * 65)
    ]
    assert {code(answer) for answer in answers} == {UNKNOWN}
    assert len({answer.content for answer in answers}) == 1
    assert owner.client.get(url).status_code == 200
    assert owner.items()[0]["shared"] == url


@pytest.mark.parametrize(
    "header", [{"origin": "https://evil.test"}, {"sec-fetch-site": "same-site"}]
)
@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_no_other_sites_page_shares_or_withdraws(
    owner: Reader, id_: str, method: str, header: dict[str, str]
) -> None:
    """Cross-site requests are refused even if the browser sends the cookie along."""
    owner.client.delete(f"conversations/{id_}/share")
    answer = owner.client.request(method, f"conversations/{id_}/share", headers=header)
    assert code(answer) == (403, "foreign_page")
    assert owner.items()[0]["shared"] is None


def test_another_sites_page_may_link_to_it_and_not_read_it(owner: Reader, id_: str) -> None:
    """A link from another site opens the page; its scripts, frames and pictures get nothing."""
    url = owner.shares(id_)
    link = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    answer = httpx.get(owner.client.base_url.join(url), headers=link)
    assert answer.status_code == 200
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    script = link | {"sec-fetch-mode": "no-cors"}
    assert httpx.get(owner.client.base_url.join(url), headers=script).status_code == 403


def test_a_token_tells_nothing_and_cannot_be_guessed(
    owner: Reader, thief: Reader, id_: str
) -> None:
    """The token is random, new after each withdrawal, and not derived from the id or the cookie."""
    tokens = set()
    for _ in range(3):
        tokens.add(owner.shares(id_).removeprefix("shared/"))
        assert owner.client.delete(f"conversations/{id_}/share").status_code == 204
    assert len(tokens) == 3
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{32}", token) for token in tokens)
    assert not tokens & {id_, *owner.client.cookies.values()}
    assert thief.opens(tokens.pop())[1] not in tokens


FORGED = [
    "x",
    "x" * 32,
    "x" * 65,
    "%27%20OR%201=1--",
    "%00",
    "a%0Ab",
    "..%2f..",
    "%F0%9F%A6%93",
    "*",
]


def test_every_link_without_a_conversation_gets_the_same_page(owner: Reader, here: Running) -> None:
    """Forged, withdrawn and deleted links cannot be told apart."""
    gone = []
    for end in ("withdrawn", "deleted", "restored"):
        id_ = owner.asks(f"Soon {end}")
        gone.append(owner.shares(id_))
        withdrawn = "/share" if end == "withdrawn" else ""
        assert owner.client.delete(f"conversations/{id_}{withdrawn}").status_code == 204
        if end == "restored":
            assert owner.client.post(f"conversations/{id_}/restore").json()["shared"] is None
    pages = [httpx.get(here.url + path) for path in (*gone, *(f"shared/{it}" for it in FORGED))]
    of_tokens = [page for page in pages if "html" in page.headers["content-type"]]
    assert {page.status_code for page in pages} == {404}
    assert len(of_tokens) >= len(gone) + 6
    assert len({page.content for page in of_tokens}) == 1
    assert "This link shows no conversation." in of_tokens[0].text


def test_a_shared_page_is_closed(owner: Reader, id_: str) -> None:
    """The page runs and loads nothing, forbids caching and indexing, and sets no cookie."""
    for path, status in ((owner.shares(id_), 200), ("shared/x", 404)):
        answer = httpx.get(owner.client.base_url.join(path))
        assert answer.status_code == status
        (policy,) = answer.headers.get_list("content-security-policy")
        assert re.fullmatch(
            r"default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none';"
            r" style-src 'sha256-[\w+/=]+'; img-src 'self'",
            policy,
        )
        assert answer.headers["x-robots-tag"] == "noindex, nofollow"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["x-dns-prefetch-control"] == "off"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "set-cookie" not in answer.headers
        assert '<meta name="robots" content="noindex, nofollow">' in answer.text


HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "![a](https://evil.test/p.png)",
    "![a](data:image/svg+xml;base64,AAAA)",
    "![a][b]\n\n[b]: https://evil.test/p.png",
    "[a](javascript:alert(1))",
    "[a](JaVaScRiPt&colon;alert(1))",
    "[a](&#106;avascript:alert(1))",
    "[a](vbscript:x)",
    "[a](data:text/html;base64,AAAA)",
    "[a](//evil.test)",
    "[a](/logout)",
    "[a](file:///etc/passwd)",
    "<javascript:alert(1)>",
    "[a]\n\n[a]: javascript:alert(1)",
    '[a](https://x.test/"onmouseover="alert(1) "t\\"onclick=\\"x")',
    '```"><script>alert(1)</script>\n</code></pre><script>\n```',
    "    </code><script>alert(1)</script>",
    "| <b onclick=x> | a |\n|--|:-:|\n| </table><style>*{} | <!-- |",
    "</div></main><form action=x><input>",
    "<sub style=x onclick=y><br onload=x><kbd\nonclick=x>",
    "\\(</code><script>alert(1)</script>\\)",
    "$$ <img src=x> $$",
    r"\(\text{<script>alert(1)</script>}\)",
    r"\(\text{&lt;script&gt;} \style{position:fixed}{x} \class{toast}{x}\)",
    r"$$\href{javascript:alert(1)}{x}$$",
    r'$$\color{red" onclick="alert(1)}x \rule{9999em}{9999em} \hspace{9999em}$$',
    r'$$\begin{array}{c" onclick=x}a\end{array}$$',
    '<meta http-equiv="refresh" content="0;url=https://evil.test">',
    '<base href="https://evil.test"><link rel=stylesheet href=//evil.test>',
    "<svg><animate onbegin=alert(1)></svg>",
    "&lt;script&gt;",
    "\u2028<script>\ufeff\u2064<\u2064img src=x>",
]
TAGS = {
    *(
        "p",
        "br",
        "em",
        "strong",
        "s",
        "code",
        "pre",
        "div",
        "a",
        "ul",
        "ol",
        "li",
        "blockquote",
        "hr",
    ),
    *("h1", "h2", "h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td"),
    *("sub", "sup", "kbd"),
    *(
        "math",
        "mrow",
        "mi",
        "mn",
        "mo",
        "mtext",
        "mspace",
        "mfrac",
        "msqrt",
        "msub",
        "msup",
        "mtable",
    ),
    *("mtr", "mtd", "mstyle", "munder", "mover", "munderover", "msubsup", "mpadded", "mphantom"),
}
# of formulas, whose values are words and numbers
WORDS = {"display", "mathvariant", "stretchy", "fence", "form", "width", "displaystyle", "accent"}
LINKED = re.compile(r"(?:https?://|mailto:)\S+")
BEGUN = re.compile(r"<(/?)([a-zA-Z][^\s/>]*)([^>]*)>")
ATTRIBUTE = re.compile(r'\s+([\w-]+)="([^"]*)"')


def check(html: str) -> None:
    """Asserts that the HTML has only plain tags, the chat's classes, and links to the web."""
    assert not re.search(r"<(?!/?[a-z])", html)
    for _, tag, rest in BEGUN.findall(html):
        assert tag in TAGS, tag
        assert ATTRIBUTE.sub("", rest).strip(" /") == "", rest
        for name, value in ATTRIBUTE.findall(rest):
            assert name in {"class", "href", "rel", "target", "title", "start"} | WORDS, name
            assert name not in WORDS or re.fullmatch("[a-z0-9. -]*", value), value
            assert name != "href" or LINKED.fullmatch(value), value
            assert name != "class" or re.fullmatch("[a-z ]*", value), value
    assert html.count("<a ") == html.count('rel="noopener noreferrer nofollow ugc"')


@pytest.mark.parametrize("words", HOSTILE)
def test_hostile_words_are_words(words: str) -> None:
    """Hostile text stays text in answers, which are Markdown, and in questions and titles, which
    are not."""
    check("".join(drawn(words)))
    look = Look(title="<b>Chat</b> & Co")
    messages = [{"role": "user", "text": words}]
    shown = Snapshot(words, 0.0, "[]", "".join(content(messages)))
    html = "".join(Page(Shell(lambda: look)).showing(shown))
    head, _, rest = html.partition("<style>")
    body = rest.partition("</style>")[2]
    assert set(re.findall(r"<([a-z]+)", head)) == {"html", "head", "meta", "title", "link"}
    assert re.findall(r"<([a-z0-9]+)", body) == [
        *("body", "header", "a", "img", "main", "h1", "p", "h2", "div", "footer", "p", "a")
    ]


PARTS = [*HOSTILE, "*", "**", "_", "`", "```\n", "\n", "\n\n", "> ", "- ", "1. ", "|", "<", ">", "[", "](", ")", "https://a.test/", "&#x3c;", "\\", "$$", "\\(", "\\)", "<br>", "字", "a", " ", "    ", "\0", "xn--", "://", "@", "~~"]  # fmt: skip


@given(st.lists(st.sampled_from(PARTS) | st.text(max_size=3), max_size=30))
def test_no_mixture_of_words_is_more_than_words(parts: list[str]) -> None:
    """Any mixture of hostile pieces is drawn with plain tags alone."""
    check("".join(drawn("".join(parts))))


def test_a_piece_that_cannot_be_drawn_is_text(caplog: pytest.LogCaptureFixture) -> None:
    """A piece that the renderer fails on is shown as text, and the log has the place of the fault
    without the words."""

    def render(piece: str, _: object) -> str:
        raise ValueError(piece)

    assert "".join(drawn("<b>Marmalade", render=render)) == "<pre>&lt;b&gt;Marmalade</pre>\n"
    assert "ValueError at test_sharing.py" in caplog.text
    assert "Marmalade" not in caplog.text


@pytest.mark.parametrize(("columns", "row"), [(1_900, "|a\n"), (50, "|a\n"), (20, "|\n")])
def test_a_table_of_few_words_and_many_cells_is_text(columns: int, row: str) -> None:
    """A table with many columns and short rows is shown as text, without empty cells."""
    words = "|" + "b|" * columns + "\n|" + "-|" * columns + "\n" + row * 15_000
    html = "".join(drawn(words[:30_000]))
    check(html)
    assert html.count("b") - html.count("br") == columns
    assert len(html) < 6 * 30_000
    assert "<td>" not in html


HOSTILE_TEX = {
    "braces": "{" * 1_999,
    "environments": r"\begin{matrix}" * 60 + r"\end{matrix}" * 60,
    "roots": r"\sqrt" * 300 + "x",
    "powers": "x^{" * 400 + "}" * 400,
    "cells": "&" * 1_000,
    "rows": r"\\" * 500,
    "long": "x" * 1_001,
    "unknown": r"\require{html}\href{x}",
}


@pytest.mark.parametrize("tex", HOSTILE_TEX.values(), ids=HOSTILE_TEX)
def test_hostile_tex_is_source_or_short(tex: str) -> None:
    """A formula that is too deep or too long stays as it was written, and none grows without
    bound."""
    html = "".join(drawn(f"$${tex}$$"))
    check(html)
    assert len(html) < GROWTH * (len(tex) + 100)


def test_a_page_converts_a_bounded_amount_of_tex() -> None:
    """Beyond it, formulas are shown as their source."""
    html = "".join(content([{"role": "assistant", "text": r"\(x+1\) " * 50_000}]))
    assert html.count("<math") == MOST // 3
    assert '<code class="formula">x+1</code>' in html


def test_a_table_in_a_quotation_is_bounded_too() -> None:
    """Many small tables have the bound of cells that one table has."""
    table = "> |" + "b|" * 20 + "\n> |" + "-|" * 20 + "\n" + "> |\n" * 20 + "\n"
    assert "".join(drawn(table * 100)).count("<td>") == 0


def test_the_rest_of_a_page_that_is_too_long_is_left_out() -> None:
    """HTML over the bound is left out, and the page is complete."""
    shown = {"role": "assistant", "text": "https://a.test/ \n\n" * 10_000}
    html = "".join(content([shown, shown], 500_000))
    assert 400_000 < len(html) < 501_000
    assert html.count("The rest is too long for this page.") == 1
    assert html.count("<div") == html.count("</div>") == 1


def test_a_title_that_is_markup_is_a_title(owner: Reader) -> None:
    """Markup in a title stays text on every route, from the page's menu to the link."""
    id_ = owner.asks("Tell me")
    title = "</title><script>alert(1)</script>\"'&"
    owner.client.patch(f"conversations/{id_}", json={"title": title})
    page = httpx.get(owner.client.base_url.join(owner.shares(id_))).text
    assert (
        "&lt;/title&gt;&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#x27;&amp; · StreamChat" in page
    )
    assert "<script" not in page


def imported(reader: Reader, *texts: str) -> str:
    """The id of a conversation with these questions and answers."""
    roles = ("user", "assistant")
    said = [{"role": roles[number % 2], "text": text} for number, text in enumerate(texts)]
    file = {
        "format": "streamchat-conversations",
        "version": 1,
        "conversations": [{"title": "Long", "messages": said}],
    }
    assert reader.client.post("conversations/import", json=file).json() == {"imported": 1}
    return str(reader.items(limit=1)[0]["id"])


def test_a_very_long_conversation_is_refused_in_words(owner: Reader) -> None:
    """A link shows a bounded number of bytes, and the refusal names the bound."""
    id_ = imported(owner, "x" * MAX_WORDS)
    answer = owner.client.post(f"conversations/{id_}/share")
    assert code(answer) == (413, "too_long")
    assert "1,000,000 bytes" in answer.json()["message"]
    assert owner.client.get(f"conversations/{id_}").json()["shared"] is None


def held(folder: Path) -> tuple[int, int]:
    """The bytes that are counted for all owners, and those of the rows."""
    with sqlite3.connect(folder / NAME) as file:
        (counted,) = file.execute("SELECT TOTAL(bytes) FROM holdings").fetchone()
        rows = "SELECT size FROM tabs UNION ALL SELECT size FROM events UNION ALL SELECT size"
        (whole,) = file.execute(f"SELECT TOTAL(size) FROM ({rows} FROM conversations)").fetchone()
    file.close()
    return int(counted), int(whole)


def test_a_snapshot_counts_for_its_owner(tmp_path: Path) -> None:
    """A snapshot counts for its owner's share of the disk until it is withdrawn or deleted."""
    with create(settings_of(tmp_path)).launch() as app, Reader(app.url) as reader:
        id_ = imported(reader, "x" * 100_000, "y" * 100_000)
        sizes = [held(tmp_path)]
        reader.shares(id_)
        sizes.append(held(tmp_path))
        reader.shares(id_)
        sizes.append(held(tmp_path))
        reader.client.delete(f"conversations/{id_}/share")
        sizes.append(held(tmp_path))
        reader.shares(id_)
        reader.client.delete(f"conversations/{id_}")
        sizes.append(held(tmp_path))
    assert all(counted == whole for counted, whole in sizes)
    base, once, again, withdrawn, deleted = (counted for counted, _ in sizes)
    # the words, and their HTML
    assert 400_000 < once - base < 401_000
    assert (again, withdrawn, deleted) == (once, base, base)


async def test_more_than_a_visitor_may_hold_costs_their_oldest(tmp_path: Path) -> None:
    """A snapshot over the bound evicts the visitor's own oldest conversation, and the link
    works."""
    store = Store(str(tmp_path), visitor_bytes=100_000)
    await store.open()
    for name, visitor, length in [
        ("other", "w", 20_000),
        ("old", "v", 10_000),
        ("new", "v", 20_000),
    ]:
        card = Card("reader", name, "x" * length)
        store.put_tab(name, {"before": ["x" * length]}, visitor, size=length, card=card)
        await store.flush()
    snapshot = Share("reader", "new", "token", "x" * 20_000)
    assert await store.run(partial(store.share, share=snapshot)) == "token"
    left = await store.run(partial(conversations.ids, reader="reader")) or []
    assert sorted(left) == ["new", "other"]
    await store.close()


async def test_a_long_page_is_drawn_with_turns_for_others() -> None:
    """A thread draws one part at a time; ten pages of one visitor delay another's by one part."""
    order: list[str] = []

    def pieces(name: str) -> Iterator[str]:
        for _ in range(3):
            order.append(name)
            yield "x" * 20_000

    drawing = Rendering(sleep=lambda _: asyncio.sleep(0))

    async def draw(name: str, visitor: str) -> int:
        return len(await drawing.whole(pieces(name), visitor))

    many = [asyncio.create_task(draw(f"many{number}", "greedy")) for number in range(10)]
    one = asyncio.create_task(draw("one", "other"))
    assert await one == 60_000
    # without turns it would be 33
    assert len(order) < 15
    assert await asyncio.gather(*many) == [60_000] * 10


async def test_no_visitor_waits_for_the_rest_after_anothers_part() -> None:
    """A visitor whose part took long rests for as long; meanwhile others' pages are drawn."""
    rests, go = 0, asyncio.Event()

    async def sleep(_: float) -> None:
        nonlocal rests
        rests += 1
        await go.wait()

    drawing = Rendering(sleep=sleep)
    pages = [drawing.whole(iter(["x" * PART] * 2), visitor) for visitor in ("one", "other")]
    drawn = asyncio.gather(*pages)
    await until(lambda: rests == 2)
    go.set()
    assert list(map(len, await drawn)) == [2 * PART] * 2


async def test_a_reader_who_leaves_draws_no_second_part_at_once() -> None:
    """The part goes on to its end before another one begins."""
    go, running, most = threading.Event(), 0, 0

    def pieces() -> Iterator[str]:
        nonlocal running, most
        running += 1
        most = max(most, running)
        assert go.wait(20)
        running -= 1
        yield "x"

    drawing = Rendering()
    one, other = (asyncio.create_task(drawing.whole(pieces(), name)) for name in ("one", "other"))
    await until(lambda: running)
    one.cancel()
    await settle()
    go.set()
    assert await other == "x"
    assert most == 1


def test_readers_of_a_link_have_nothing_drawn(
    owner: Reader, id_: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is drawn when its owner shares it, and no more however often it is opened."""
    url = owner.client.base_url.join(owner.shares(id_))

    async def whole(*_: object) -> str:
        raise AssertionError

    monkeypatch.setattr(Rendering, "whole", whole)
    assert all(SECRET in httpx.get(url).text for _ in range(3))


def test_a_reader_who_shares_all_the_time_waits(tmp_path: Path) -> None:
    """Shares over the rate limit are refused, because each writes a whole conversation to the disk."""
    chat = replace(create(settings_of(tmp_path)), rates=Rates(shares="3/minute"))
    with chat.launch() as app, Reader(app.url) as reader:
        url = f"conversations/{reader.asks(SECRET)}/share"
        assert [reader.client.post(url).status_code for _ in range(4)] == [200, 200, 200, 429]
        assert reader.client.delete(url).status_code == 204


async def test_a_link_ends_with_the_time_for_which_conversations_are_kept(tmp_path: Path) -> None:
    """A link ends when its conversation is too old, counted from the last word."""
    clock = Ticking(1_795_699_040.0)
    store = Store(str(tmp_path), clock=clock, max_age=10)
    await store.open()
    card = Card("reader", "Title", "words")
    store.put_tab("id", {"before": ["words"]}, "v", size=5, card=card)
    await store.flush()
    clock.now += 9
    await store.run(partial(store.share, share=Share("reader", "id", "token", "{}")))
    assert await store.run(partial(shares.read, token="token")) == "{}"
    clock.now += PRUNE_EVERY
    await store.flush()
    assert await store.run(partial(shares.read, token="token")) is None
    await store.close()


def test_a_reader_who_opens_links_all_the_time_waits(tmp_path: Path) -> None:
    """Reads over the rate limit get a page with the time to wait."""
    chat = replace(create(settings_of(tmp_path)), rates=Rates(shared_reads="3/minute"))
    with chat.launch() as app:
        answers = [httpx.get(f"{app.url}shared/{number}") for number in range(4)]
    assert [answer.status_code for answer in answers] == [404, 404, 404, 429]
    assert int(answers[-1].headers["retry-after"]) > 0
    assert "You are opening pages too quickly." in answers[-1].text


LOGIN = {"username": "ada", "password": "long enough"}


@pytest.mark.parametrize("sharing", ["on", "public"])
def test_a_login_holds_for_links_unless_the_owner_says_public(tmp_path: Path, sharing: str) -> None:
    """The login page leads back to the link, and to no other path."""
    settings = settings_of(tmp_path, auth="ada:long enough", sharing=sharing)
    with create(settings).launch() as app:
        cookies = dict(httpx.post(f"{app.url}login", data=LOGIN).cookies)
        with Reader(app.url, cookies=cookies) as ada:
            url = ada.shares(ada.asks(SECRET))
        answer = httpx.get(app.url + url)
        if sharing == "public":
            assert (answer.status_code, SECRET in answer.text) == (200, True)
            assert httpx.get(f"{app.url}conversations").status_code == 401
            return
        other = httpx.get(f"{app.url}shared/x")
        assert (answer.status_code, other.status_code) == (303, 303)
        assert answer.headers["location"] == f"../login?then=/{url}"
        with httpx.Client(headers={"accept": "text/html"}, follow_redirects=True) as browser:
            asked = browser.get(app.url + url)
            assert SECRET in browser.post(asked.url, data=LOGIN).text
        for then in (
            "//evil.test",
            "https://evil.test",
            "/shared/../owner",
            "/shared/x?y",
            "/docs",
        ):
            login = f"{app.url}login?then={then}"
            answer = httpx.post(login, data=LOGIN, headers={"accept": "text/html"})
            assert answer.headers["location"] == "./"


def test_where_sharing_is_off_no_link_shows_anything(tmp_path: Path) -> None:
    """With sharing off neither new nor earlier links work."""
    with create(settings_of(tmp_path)).launch() as app, Reader(app.url) as reader:
        id_ = reader.asks(SECRET)
        url, cookies = reader.shares(id_), dict(reader.client.cookies)
    off = create(settings_of(tmp_path, sharing="off"))
    with off.launch() as app, Reader(app.url, cookies=cookies) as reader:
        assert reader.items()[0]["shared"] is None
        assert reader.client.post(f"conversations/{id_}/share").status_code == 404
        assert reader.client.get(url).status_code == 404
