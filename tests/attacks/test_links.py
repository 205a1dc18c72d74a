"""The owner's list of links to shared conversations: what it shows, and that it is the owner's."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, expect

from streamchat.chat.links import COUNTED, Links
from streamchat.server import Running, create
from streamchat.settings import Settings
from streamchat.store import Store
from tests.reader import Reader

PASSWORD = "open, sesame"
SECRET = "A zebra called Marmalade"


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = str(tmp_path_factory.mktemp("kept"))
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("ANTHROPIC_API_KEY", "")
        settings = Settings(data_dir=folder, rate_limit="off", owner_password=PASSWORD)
        with create(settings).launch() as running:
            yield running


@pytest.fixture
def owner(here: Running) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"{here.url}owner/", auth=("eva", PASSWORD)) as client:
        yield client


@pytest.fixture
def reader(here: Running) -> Iterator[Reader]:
    with Reader(here.url) as reader:
        yield reader


def names(owner: httpx.Client) -> list[str]:
    return [link["name"] for link in owner.get("links").json()["links"]]


def test_only_the_owner_sees_and_ends_links(
    here: Running, reader: Reader, owner: httpx.Client
) -> None:
    """Neither the reader who made the link, nor a stranger, nor another site's page in the owner's
    browser."""
    url = reader.shares(reader.asks(SECRET))
    end = f"owner/links/{names(owner)[0]}"
    elsewhere = {"sec-fetch-site": "cross-site"}
    for ask in (reader.client.request, httpx.Client(base_url=here.url, auth=("eva", "x")).request):
        assert [ask("GET", "owner/links").status_code, ask("DELETE", end).status_code] == [401, 401]
    assert owner.delete(f"../{end}", headers=elsewhere).status_code == 403
    assert SECRET in httpx.get(here.url + url).text


def test_a_list_of_links_opens_nothing(reader: Reader, owner: httpx.Client, here: Running) -> None:
    """It has neither words nor ids nor addresses, but the time and how often each was opened."""
    before = set(names(owner))
    id_ = reader.asks('"at": 5 ' + SECRET)
    url = reader.shares(id_)
    for _ in range(2):
        httpx.get(here.url + url)
    httpx.head(here.url + url)
    answer = owner.get("links")
    (link,) = (each for each in answer.json()["links"] if each["name"] not in before)
    assert link.keys() == {"name", "at", "opened"}
    assert link["opened"] == 2
    assert reader.items(limit=1)[0]["at"] - 60 < link["at"] < reader.items(limit=1)[0]["at"] + 60
    for secret in ("zebra", id_, url.removeprefix("shared/"), *reader.client.cookies.values()):
        assert secret not in answer.text


def test_the_owner_ends_one_link(here: Running, reader: Reader, owner: httpx.Client) -> None:
    """Others stay, and so does the conversation; a link ends by no other name, and for good."""
    one, other = (reader.asks(f"{SECRET} {number}") for number in range(2))
    before, url, kept = names(owner), reader.shares(one), reader.shares(other)
    (name,) = (each for each in names(owner)[1:2] if each not in before)
    for wrong in (url.removeprefix("shared/"), one, name[:-1], name.upper() + "x", "%00", "1"):
        assert owner.delete(f"links/{wrong}").status_code == 404
    assert owner.delete(f"links/{name}").status_code == 204
    assert owner.delete(f"links/{name}").status_code == 404
    assert httpx.get(here.url + url).status_code == 404
    assert httpx.get(here.url + kept).status_code == 200
    assert [item["shared"] for item in reader.items()[:2]] == [kept, None]
    assert reader.shares(one) != url


async def test_counts_of_readers_are_bounded(tmp_path: Path) -> None:
    """Opening many links makes the server remember a bounded number of them."""
    links = Links(Store(""))
    for number in range(COUNTED + 10):
        links.open(str(number))
    assert len(links._opened) == COUNTED


def test_the_owner_ends_a_link_on_the_page(
    here: Running, reader: Reader, chromium: Browser
) -> None:
    """The second press ends it, and the list has it no more."""
    url = reader.shares(reader.asks(SECRET))
    with chromium.new_context(http_credentials={"username": "x", "password": PASSWORD}) as context:
        tab = context.new_page()
        tab.goto(f"{here.url}owner")
        rows = tab.locator("#links li")
        expect(rows.first).to_contain_text("not opened since the start")
        before = rows.count()
        rows.first.get_by_role("button").click()
        assert httpx.get(here.url + url).status_code == 200
        rows.first.get_by_role("button", name="Ends for good: press again").click()
        expect(rows).to_have_count(before - 1)
    assert httpx.get(here.url + url).status_code == 404
