import pytest

from streamchat.citations import FAILURES, FoundPage, address, count, line, site
from streamchat.texts.sentences import SENTENCES


@pytest.mark.parametrize(
    ("given", "safe"),
    [
        ("https://a.example/wiki/Loire_(river)#L", "https://a.example/wiki/Loire_%28river%29#L"),
        ("http://a.example:8080/?q=1&r=%20", "http://a.example:8080/?q=1&r=%20"),
        ("https://[::1]/x", "https://[::1]/x"),
        ("https://b\u00fccher.example/\u00e4", "https://xn--bcher-kva.example/%C3%A4"),
        ('https://a.example/"><b>', "https://a.example/%22%3E%3Cb%3E"),
        ("https://a.example/x y]", "https://a.example/x%20y%5D"),
        ("HTTPS://A.example/B", "https://a.example/B"),
    ],
)
def test_an_address_of_a_page_is_kept_in_safe_characters(given: str, safe: str) -> None:
    """The address of a web page stays, and has no character that could end a link."""
    assert address(given) == safe


@pytest.mark.parametrize(
    "given",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "//a.example/x",
        "/x",
        "https://",
        "https://bank.example@evil.example/",
        "https://a.example:99999/",
        "https://a.example/\u202ex",
        "https://a.example/\nx",
        "https://a\ud800.example/",
        "https://a.example/" + 3_000 * "x",
        "https://[::1",
        "https://" + 70 * "x" + ".example/",
        'https://a"b.example/',
        None,
        7,
        ["https://a.example"],
    ],
)
def test_anything_else_is_no_address(given: object) -> None:
    """Other schemes, names before the host, controls, halves of characters and what is too long
    lead nowhere."""
    assert address(given) == ""


def test_foreign_words_are_one_bounded_line() -> None:
    """A title, a query or a quote is one line without controls, marks of direction and halves of
    characters, and no longer than its bound."""
    assert line(" a\n\tb\u202e\x00\ud800 c\u2063", 10) == "a b c"
    assert line(1_000_000 * "x", 10) == 9 * "x" + "\u2026"
    assert line(None, 10) == line(["x"], 10) == ""
    assert [count(given) for given in (3, 0, -1, True, 1.5, "2", 10**30)] == [3, 0, 0, 0, 0, 0, 0]


def test_a_site_is_the_host_as_people_know_it() -> None:
    """A reader sees where a link leads."""
    assert site("https://www.a.example:8080/x") == FoundPage("https://a.example", "").site
    assert site("") == ""


def test_every_failure_has_its_sentence() -> None:
    """A search that failed says why."""
    assert set(FAILURES) <= SENTENCES.keys()
