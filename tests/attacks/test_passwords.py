"""Attacks on passwords: guesses, and guesses that lock others out."""

from base64 import b64encode
from collections.abc import Iterator

import httpx
import pytest

from streamchat.errors import TooOften
from streamchat.web.cookies import Sessions, Signed
from streamchat.web.passwords import Guesses, Password
from tests.application import ROOT, Application, free_port

USER, PASSWORD, OWNERS = "eva", "gehéim: ja", "open, sesame"
ASK = "/api/streaming-chat"


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def password(clock: Clock) -> Password:
    return Password("right", Guesses(clock=clock))


def answers(password: Password, given: str, visitor: str, times: int = 1) -> list[bool | None]:
    """The results of these guesses. None means that the visitor has to wait."""
    found: list[bool | None] = []
    for _ in range(times):
        try:
            found.append(password.check(given, visitor))
        except TooOften:
            found.append(None)
    return found


def test_a_stranger_guesses_ten_times_a_minute(password: Password, clock: Clock) -> None:
    """After ten wrong passwords in a minute none is checked, not even the right one."""
    assert answers(password, "wrong", "203.0.113.7", 12) == [False] * 10 + [None] * 2
    assert answers(password, "right", "203.0.113.7") == [None]
    clock.now += 59.9
    assert answers(password, "right", "203.0.113.7") == [None]
    clock.now += 0.1
    assert answers(password, "right", "203.0.113.7") == [True]


def test_guesses_that_are_spread_over_time_have_the_same_rate(
    password: Password, clock: Clock
) -> None:
    """No window of a minute has more than ten guesses, wherever it begins."""
    found: list[bool | None] = []
    for _ in range(240):
        found += answers(password, "wrong", "203.0.113.7")
        clock.now += 1
    windows = [found[start : start + 60].count(False) for start in range(180)]
    assert max(windows) == 10


def test_another_visitor_is_not_held_up(password: Password) -> None:
    """Guesses of one address do not lock out another."""
    answers(password, "wrong", "203.0.113.7", 20)
    assert answers(password, "right", "203.0.113.8") == [True]


def test_a_network_of_ipv6_is_not_65536_strangers(password: Password) -> None:
    """All addresses of a /48 network together have the guesses of three visitors."""
    found = [answers(password, "wrong", f"2001:db8:0:{number:x}::/64") for number in range(100)]
    assert sum(each == [False] for each in found) == 30
    assert answers(password, "right", "2001:db8:1::/64") == [True]


def test_all_addresses_together_guess_a_hundred_times_a_minute(
    password: Password, clock: Clock
) -> None:
    """All addresses together have a hundred guesses a minute."""
    for _ in range(3):
        found = [
            answers(password, "wrong", f"198.51.{number // 250}.{number % 250}")
            for number in range(1_000)
        ]
        assert sum(each == [False] for each in found) == 100
        clock.now += 60


@pytest.mark.parametrize("visitor", ["203.0.113.7", "127.0.0.1", "::/64"])
def test_very_many_addresses_do_not_lock_out_who_knows_the_password(
    password: Password, visitor: str
) -> None:
    """The bound of all addresses holds neither for an address with a right password within a day
    nor for the machine itself, which still have ten wrong guesses."""
    if not visitor.startswith(("127", "::")):
        assert answers(password, "right", visitor) == [True]
    for number in range(200):
        answers(password, "wrong", f"198.51.100.{number}")
    assert answers(password, "right", "203.0.113.9") == [None]
    assert answers(password, "right", visitor) == [True]
    assert answers(password, "wrong", visitor, 11) == [False] * 10 + [None]


def test_a_right_password_is_forgotten_after_a_day(password: Password, clock: Clock) -> None:
    """An address loses its exemption after a day, because addresses change hands."""
    answers(password, "right", "203.0.113.7")
    clock.now += 86_400
    for number in range(200):
        answers(password, "wrong", f"198.51.100.{number}")
    assert answers(password, "right", "203.0.113.7") == [None]


@pytest.mark.parametrize(
    "given", ["", "righ", "right ", "Right", "right\0", "r\ud800", "x" * 1_000_000]
)
def test_only_the_password_is_the_password(password: Password, given: str) -> None:
    """Any other value is compared and refused without an error."""
    assert answers(password, given, "203.0.113.7") == [False]


def test_a_session_ends_by_itself(clock: Clock) -> None:
    """A session ends after its time or with its logout, and no other session does."""
    sessions = Sessions(100, clock=clock)
    first, second = sessions.begin("eva"), sessions.begin("eva")
    sessions.end(first)
    assert [sessions.has(first), sessions.has(second), sessions.has(""), sessions.has("x")] == [
        False,
        True,
        False,
        False,
    ]
    clock.now += 100
    assert not sessions.has(second)


def test_very_many_sessions_end_the_visitors_own(clock: Clock) -> None:
    """A visitor's oldest session ends over the visitor's bound, and the oldest of all over the
    common bound."""
    sessions = Sessions(100, per_visitor=3, most=5, clock=clock)
    others = sessions.begin("noah")
    tokens = [sessions.begin("eva") for _ in range(10)]
    assert [sessions.has(token) for token in tokens] == [False] * 7 + [True] * 3
    assert sessions.has(others)
    more = [sessions.begin(f"visitor {number}") for number in range(5)]
    assert [sessions.has(token) for token in [others, *tokens, *more]] == [False] * 11 + [True] * 5


def test_a_browsers_name_cannot_be_made_up() -> None:
    """A forged cookie, and one of another run of the server, are refused."""
    signed = Signed()
    value = signed.new()
    assert signed.name(value) == value.partition(".")[0]
    for forged in (
        "",
        ".",
        "x",
        "x.",
        value[:-1],
        value.replace(".", "x."),
        value + "0",
        "é.ü",
        Signed().new(),
    ):
        assert signed.name(forged) is None


@pytest.fixture(scope="module")
def guarded() -> Iterator[Application]:
    """A chat behind a trusted proxy, whose visitors come from the network."""
    knobs = {"STREAMCHAT_AUTH": f"{USER}:{PASSWORD}", "STREAMCHAT_OWNER_PASSWORD": OWNERS}
    with Application("--host", "0.0.0.0", "--port", free_port(), cwd=ROOT, **knobs) as application:
        yield application


def url(app: Application) -> str:
    return f"http://127.0.0.1:{app.url.rpartition(':')[2]}"


def coming_from(app: Application, address: str, **more: str) -> httpx.Client:
    return httpx.Client(base_url=url(app), headers={"X-Forwarded-For": address, **more}, timeout=20)


def basic(password: str, user: str = USER) -> str:
    return f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}"


@pytest.mark.parametrize("order", [("form", "basic"), ("basic", "form")])
@pytest.mark.process
def test_the_two_ways_to_log_in_have_one_count(
    guarded: Application, order: tuple[str, str]
) -> None:
    """Guesses by the form and by HTTP Basic share one count."""

    def guess(way: str, password: str) -> int:
        if way == "form":
            return visitor.post("/login", data={"username": USER, "password": password}).status_code
        return visitor.get("/api/health", headers={"Authorization": basic(password)}).status_code

    with coming_from(guarded, f"203.0.113.{len(order[0])}") as visitor:
        assert [guess(order[number % 2], f"guess {number}") for number in range(10)] == [401] * 10
        assert [guess(way, PASSWORD) for way in order] == [429, 429]


@pytest.mark.process
def test_a_session_is_not_locked_out_by_guesses(guarded: Application) -> None:
    """A logged-in visitor is not locked out by guesses from the same address."""
    with (
        coming_from(guarded, "203.0.113.20") as visitor,
        coming_from(guarded, "203.0.113.20") as attacker,
    ):
        assert (
            visitor.post("/login", data={"username": USER, "password": PASSWORD}).status_code == 200
        )
        for number in range(20):
            attacker.post("/login", data={"username": USER, "password": f"guess {number}"})
        assert (
            attacker.post("/login", data={"username": USER, "password": PASSWORD}).status_code
            == 429
        )
        assert visitor.get("/config").status_code == 200
        assert (
            visitor.get("/api/health", headers={"Authorization": basic("wrong")}).status_code == 200
        )


@pytest.mark.process
def test_the_owner_is_not_locked_out_from_the_same_address(guarded: Application) -> None:
    """A browser that once had the right password can enter it again despite others' guesses."""
    right = {"Authorization": basic(OWNERS, "x")}
    with (
        coming_from(guarded, "203.0.113.30", **right) as owner,
        coming_from(guarded, "203.0.113.30") as attacker,
    ):
        given = owner.get("/owner").headers["set-cookie"]
        assert {"HttpOnly", "SameSite=Strict", "Path=/owner"} <= set(given.split("; "))
        guesses = [
            attacker.get("/owner", headers={"Authorization": basic(f"{n}")}).status_code
            for n in range(30)
        ]
        assert guesses == [401] * 10 + [429] * 20
        assert attacker.get("/owner", headers=right).status_code == 429
        assert owner.get("/owner/state").status_code == 200
        forged = attacker.get("/owner", headers={**right, "Cookie": "streamchat_owner=x.y"})
        assert forged.status_code == 429


@pytest.mark.process
def test_the_owners_cookie_is_no_password(guarded: Application) -> None:
    """The owner's cookie logs nobody in, and allows no more guesses than an address has."""
    with coming_from(guarded, "203.0.113.40") as browser:
        assert browser.get("/owner", headers={"Authorization": basic(OWNERS)}).status_code == 200
        assert browser.get("/owner/state").status_code == 401
        guesses = [
            browser.get("/owner", headers={"Authorization": basic(f"{n}")}).status_code
            for n in range(12)
        ]
        assert guesses == [401] * 10 + [429] * 2


@pytest.mark.process
def test_the_owners_password_on_other_paths_is_no_guess(guarded: Application) -> None:
    """The owner's password is not counted as a guess on other paths, to which browsers send it by
    themselves."""
    with coming_from(guarded, "203.0.113.50", Authorization=basic(OWNERS)) as browser:
        for path in ("/", "/config", "/login", "/docs", "/gradio_api/info") * 5:
            assert browser.get(path).status_code in (200, 303, 401)
        assert (
            browser.post("/login", data={"username": USER, "password": PASSWORD}).status_code == 200
        )
