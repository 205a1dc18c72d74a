"""A search in saved conversations, in languages with and without spaces between words."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamchat.store import conversations, schema
from streamchat.store.search import APART, index_anew, joined, parted

LETTERS = st.sampled_from("漢字模型日本語のテストกขคงะ中文々" + chr(0x20001))
SPOKEN = st.text(LETTERS | st.sampled_from("ab1 ,。\n"), min_size=1, max_size=40)


@contextmanager
def opened() -> Iterator[Any]:
    file: Any = sqlite3.connect(":memory:")
    with closing(file):
        while schema.migrate(file):
            pass
        yield file


@pytest.fixture
def file() -> Iterator[Any]:
    with opened() as found:
        yield found


def put(file: Any, text: str, title: str = "A title", id_: str = "id") -> None:
    conversations.put(file, id_, conversations.Card("r", title, text), b"", 1)


def found(file: Any, query: str) -> list[conversations.Item]:
    return conversations.items(file, reader="r", query=query, before=9, most=9)


@pytest.mark.parametrize(
    ("text", "query", "snippet"),
    [
        ("今天天气很好，我们去公园。", "天气", "今天[天气]很好，我们去公园。"),
        ("今天天气很好，我们去公园。", "公园", "今天天气很好，我们去[公园]。"),
        ("今天天气很好，我们去公园。", "气", "今天天[气]很好，我们去公园。"),
        ("東京タワーに行きました", "タワー", "東京[タワー]に行きました"),
        ("สวัสดีครับ", "ครับ", "สวัสดี[ครับ]"),
        ("GPT模型很好", "gpt", "[GPT]模型很好"),
        ("用GPT模型", "GPT模", "用[GPT模]型"),
        ("第3章とExcelで", "excel", "第3章と[Excel]で"),
        ("Das Matterhorn", "matter", "Das [Matterhorn]"),
    ],
)
def test_words_are_found_where_no_spaces_part_them(
    file: Any, text: str, query: str, snippet: str
) -> None:
    """In Chinese, Japanese and Thai, beside words of other languages; and the snippet is the text
    as it was written."""
    put(file, text)
    (item,) = found(file, query)
    assert (item.snippet or "").replace("\x01", "[").replace("\x02", "]") == snippet


@pytest.mark.parametrize("query", ["气天", "天园", "horn", "公園", "天气 雨"])
def test_what_is_not_there_is_not_found(file: Any, query: str) -> None:
    """Letters in another order, the ends of words that have spaces, and one word of two."""
    put(file, "今天天气很好，我们去公园。 Matterhorn")
    assert found(file, query) == []


def test_titles_are_found_in_these_languages(file: Any) -> None:
    """Those of a reader's own, too, and they are listed as they were written."""
    put(file, "hi", "烹饪意大利面")
    assert [item.title for item in found(file, "意大利")] == ["烹饪意大利面"]
    conversations.rename(file, reader="r", id_="id", title="東京の天気")
    assert [item.title for item in found(file, "天気")] == ["東京の天気"]
    assert found(file, "意大利") == []


@given(text=SPOKEN, data=st.data())
def test_each_row_of_letters_in_a_text_is_found(text: str, data: st.DataObject) -> None:
    """The text around it does not matter, and an indexed text can be read as it was."""
    assert joined(parted(text)) == text
    letters = [place for place, sign in enumerate(text) if parted(sign) != sign]
    if not letters:
        return
    start = data.draw(st.sampled_from(letters))
    end = next((at for at in range(start, len(text)) if at not in letters), len(text))
    end = data.draw(st.integers(start + 1, end))
    with opened() as file:
        put(file, text)
        assert [item.id for item in found(file, text[start:end])] == ["id"]


def test_conversations_of_an_earlier_release_are_found_after_an_update(file: Any) -> None:
    """Their words are in the new index, and all others stay there."""
    put(file, "今天天气很好", "题目", "zh")
    put(file, "weather", "A title", "en")
    file.execute(
        "UPDATE words SET title = replace(title, ?, ''), text = replace(text, ?, '')", [APART] * 2
    )
    assert found(file, "天气") == []
    index_anew(file)
    assert [item.id for item in found(file, "天气")] == ["zh"]
    assert [item.id for item in found(file, "weath")] == ["en"]
