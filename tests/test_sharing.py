"""Links to shared conversations: what they show, and how they end."""

import json
import signal
from collections.abc import AsyncGenerator, Iterator
from functools import partial
from pathlib import Path

import httpx
import pytest

from streamchat.chat import Chat, Sources
from streamchat.events import Done, Event, Message, Notice, Request, Text, Thinking
from streamchat.look import Look
from streamchat.saved import Saved
from streamchat.saved.markup import drawn
from streamchat.saved.page import Page, content
from streamchat.server import Running, create
from streamchat.settings import Settings
from streamchat.store import Card, Store, shares
from streamchat.store.shares import Share
from streamchat.ui import Tab, Tabs, message_of
from streamchat.web.shell import Shell
from tests.application import Application
from tests.reader import Reader
from tests.served import Source, until


class Teller:
    """A source with thoughts, text and a notice."""

    name, model = "The teller", "teller"

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def stream(self, request: Request) -> AsyncGenerator[Event]:
        yield Thinking("A thought of its own.")
        yield Text("One **half**")
        yield Notice("continued")
        yield Text(" and the other.")
        yield Done("end_turn")


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = str(tmp_path_factory.mktemp("kept"))
    settings = Settings(data_dir=folder, rate_limit="off", title="Zoo & Co", accent="#0f766e")
    with create(settings, source=Teller()).launch() as running:
        yield running


@pytest.fixture
def reader(here: Running) -> Iterator[Reader]:
    with Reader(here.url) as reader:
        yield reader


def read(here: Running, url: str) -> str:
    answer = httpx.get(here.url + url)
    assert answer.status_code == 200
    return answer.text.partition("</style>")[2]


def test_a_link_shows_questions_and_answers_alone(here: Running, reader: Reader) -> None:
    """Thoughts, notes, receipts and the reader's identity are not on the page."""
    id_ = reader.asks("Which <zebra>?\n  It has stripes.")
    page = read(here, reader.shares(id_))
    assert "Which &lt;zebra&gt;?\n  It has stripes.</div>" in page
    assert "<p>One <strong>half</strong> and the other.</p>" in page
    for other in ("thought", "ⓘ", "$", "teller", id_, *reader.client.cookies.values()):
        assert other not in page
    assert "Shared from Zoo &amp; Co on " in page
    assert "A shared conversation. " in page
    assert '<a href="../">Start your own chat</a>' in page


def test_a_link_stays_as_it_is_until_it_is_updated(here: Running, reader: Reader) -> None:
    """Later questions and a later title appear only after an update, which keeps the address."""
    id_ = reader.asks("First")
    url = reader.shares(id_)
    reader.asks("Second", id_)
    reader.client.patch(f"conversations/{id_}", json={"title": "Renamed"})
    page = read(here, url)
    assert ("First" in page, "Second" in page, "Renamed" in page) == (True, False, False)
    assert reader.items()[0]["shared"] == url
    assert reader.shares(id_) == url
    page = read(here, url)
    assert ("Second" in page, "Renamed" in page) == (True, True)


async def test_a_running_answer_is_shown_as_far_as_it_has_come(tmp_path: Path) -> None:
    """The snapshot has the answer's text so far, and never its thoughts."""
    source, store = Source(), Store(str(tmp_path))
    chat = Chat(Sources(source), store, linger=60, keep=60)
    await store.open()
    tabs = Tabs(chat, store)
    tab = Tab([message_of("user", "Well?")], reader="reader")
    tab.start(await chat.ask([Message("user", "Well?")]))
    source.say(Thinking("Hm."), Text("One half"))
    assert tab.reply
    await until(lambda: tab.reply and len(tab.reply.log) == 2)
    tabs.save("id", tab)
    saved = Saved(tabs, store)
    url = (await saved.share("reader", "id"))["url"]
    source.say(Text(" and the other."), Done("end_turn"))
    await tab.reply.ended.wait()
    shown = await saved.shared(url.removeprefix("shared/"))
    assert shown
    assert [each["text"] for each in shown.messages] == ["Well?", "One half"]
    await chat.close()
    await store.close()


def test_a_withdrawn_conversation_can_be_shared_anew(here: Running, reader: Reader) -> None:
    """It gets another link. Withdrawing is idempotent."""
    id_ = reader.asks("Once")
    url = reader.shares(id_)
    for _ in range(2):
        assert reader.client.delete(f"conversations/{id_}/share").status_code == 204
    assert reader.items()[0]["shared"] is None
    assert httpx.get(here.url + url).status_code == 404
    assert reader.shares(id_) != url


def test_all_links_end_when_all_is_deleted(here: Running, reader: Reader) -> None:
    """A restored conversation has no link."""
    url = reader.shares(reader.asks("Once"))
    reader.client.delete("conversations")
    assert httpx.get(here.url + url).status_code == 404
    assert reader.client.post("conversations/restore").json() == {"restored": 1}
    assert httpx.get(here.url + url).status_code == 404
    assert reader.items()[0]["shared"] is None


def test_a_page_has_the_look_of_the_chat_in_light_and_dark() -> None:
    """The page has the accent, and the dark theme's tokens in a dark system, without a script."""
    page = Page(Shell(lambda: Look(accent="#0f766e"))).saying("Title", "Words")
    style = page.partition("<style>")[2].partition("</style>")[0]
    dark = style.partition("@media (prefers-color-scheme: dark) {")[2].partition("}")[0]
    assert "--sc-page: #18181c;" in dark
    assert "--sc-accent: #0f766e;" in style
    assert "<script" not in page


def test_a_question_of_files_alone_says_so() -> None:
    """A link shows no files, and no empty bubble in their place."""
    page = "".join(content([{"role": "user", "text": ""}]))
    assert '<div class="question">A file, which a link does not show.</div>' in page


def test_an_answer_looks_as_in_the_chat() -> None:
    """Code blocks have their language; tables and line ends are as in the chat; a long block goes
    on in the next piece."""
    code = "".join(drawn("```python\nprint(1 < 2)\n```\n"))
    assert code == (
        '<div class="code"><p>python</p><pre><code>print(1 &lt; 2)\n</code></pre></div>\n'
    )
    table = "".join(drawn("| a | b |\n|---|--:|\n| 1 | 2 |\n"))
    assert '<div class="table"><table>' in table
    assert '<td class="right">2</td>' in table
    tasks = "".join(drawn("- [x] done\n- [ ] open\n- <li>[x] text\n")).splitlines()
    assert tasks[1:3] == ['<li class="task">☑ done</li>', '<li class="task">☐ open</li>']
    assert tasks[3] == "<li>&lt;li&gt;[x] text</li>"
    words = "".join(
        drawn(r"One **line**，" + "\nand \\(a_1*b*c\\) H<sub>2</sub>O https://a.test。")
    )
    assert "<strong>line</strong>，<br />\nand" in words
    assert "</math> H<sub>2</sub>O" in words
    assert ">https://a.test</a>。" in words
    long = "".join(drawn("```js\n" + "let a = 1;\n" * 1_500 + "```\n"))
    assert long.count('<div class="code more">') == long.count('<div class="code') - 1 > 1
    assert long.count("let a") == 1_500
    rows = "".join(drawn("| a | b |\n|---|---|\n" + "| 1 | 2 |\n" * 1_500))
    assert rows.count('<div class="table more">') == rows.count('<div class="table') - 1 > 1
    assert rows.count("<td>1</td>") == 1_500


def test_a_formula_is_drawn_as_mathml() -> None:
    """In a line or as a block; one that is not understood is shown as its source."""
    block = "$$\\frac{1}{\\sqrt{2}}$$"
    html = "".join(drawn(f"So \\(a_1*b<c\\) and\n\n{block}\n\n\\(x^1^2\\)"))
    assert '<math display="inline"><mrow><msub><mi>a</mi><mn>1</mn></msub><mo>' in html
    assert "<mo>&lt;</mo>" in html
    root = "<msqrt><mrow><mn>2</mn></mrow></msqrt>"
    assert f"<mfrac><mrow><mn>1</mn></mrow><mrow>{root}</mrow></mfrac></mrow></math>" in html
    assert html.count('<math display="block">') == 1
    assert r'<code class="formula">x^1^2</code>' in html


async def test_a_link_of_an_earlier_release_is_drawn_once(tmp_path: Path) -> None:
    """It keeps its words and its time, and what was drawn is kept in its place."""
    store = Store(str(tmp_path))
    await store.open()
    store.put_tab("id", {}, "v", size=5, card=Card("reader", "Title", "words"))
    await store.flush()
    old = {"title": "Old", "at": 7, "messages": [{"role": "assistant", "text": "**Bold**"}]}
    shared = Share("reader", "id", "token", json.dumps(old))
    await store.run(partial(store.share, share=shared))
    saved = Saved(Tabs(Chat(Sources(Source()), store, linger=60, keep=60), store), store)
    found = await saved.shared("token")
    assert found
    assert (found.title, found.at) == ("Old", 7)
    assert "<strong>Bold</strong>" in (found.html or "")
    assert await store.run(partial(shares.read, token="token")) == found.text
    assert await saved.shared("token") == found
    await store.close()


def test_a_link_works_below_a_prefix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The link, its way back to the chat and the login's redirect have relative addresses."""
    monkeypatch.setenv("GRADIO_ROOT_PATH", "/chat")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "")
    settings = Settings(data_dir=str(tmp_path), auth="ada:long enough")
    with create(settings).launch() as app:
        answer = httpx.get(f"{app.url}chat/shared/x")
    assert answer.headers["location"] == "/chat/login?then=/shared/x"


@pytest.mark.process
def test_a_kill_takes_nothing_that_was_settled(tmp_path: Path) -> None:
    """Titles, answers, names, links and deletions survive SIGKILL and a restart."""
    folder = str(tmp_path)
    with Application(STREAMCHAT_DATA_DIR=folder) as app, Reader(f"{app.url}/") as reader:
        ids = [reader.asks(f"Question {number}") for number in range(4)]
        url = reader.shares(ids[0])
        reader.client.patch(f"conversations/{ids[1]}", json={"title": "Named"})
        reader.client.delete(f"conversations/{ids[2]}")
        before = reader.client.get("conversations/export").json()
        cookies = dict(reader.client.cookies)
        app.interrupt(signal.SIGKILL)
    assert [each["title"] for each in before["conversations"]] == [
        "Question 3",
        "Named",
        "Question 0",
    ]
    with (
        Application(STREAMCHAT_DATA_DIR=folder) as app,
        Reader(f"{app.url}/", cookies=cookies) as reader,
    ):
        assert reader.client.get("conversations/export").json() == before
        assert [each["shared"] for each in reader.items()] == [None, None, url]
        assert "Question 0" in httpx.get(f"{app.url}/{url}").text
        assert reader.client.post(f"conversations/{ids[2]}/restore").json()["title"] == "Question 2"
