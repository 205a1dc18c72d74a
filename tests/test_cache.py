import pytest

from streamchat.errors import UnknownReply
from streamchat.events import Citation, Done, Found, FoundPage, Text
from streamchat.replies.cache import Cache, weight
from streamchat.replies.reply import Reply
from tests.hand import Hand


async def ended(cache: Cache, text: str = "", visitor: str | None = None) -> Reply:
    """A reply that the cache knows and that has ended."""
    hand = Hand()
    reply = Reply(hand.write, linger=60)
    reply.on_end(lambda: cache.ended(reply))
    cache.add(reply, visitor)
    hand.say(Text(text), Done("end_turn"))
    await reply.closed()
    return reply


def known(cache: Cache, reply: Reply) -> bool:
    try:
        return cache.get(reply.id) is reply
    except UnknownReply:
        return False


async def test_a_running_reply_is_known_for_as_long_as_it_runs() -> None:
    """However long Claude writes, the reply can be read."""
    now = 0.0
    cache = Cache(keep=1, clock=lambda: now)
    reply = Reply(Hand().write, linger=60)
    reply.on_end(lambda: cache.ended(reply))
    cache.add(reply)
    now = 10_000
    assert known(cache, reply)
    assert cache.running == [reply]
    reply.stop()
    await reply.closed()
    assert cache.running == []


async def test_an_ended_reply_is_kept_for_its_time() -> None:
    """An ended reply can be read again for `keep` seconds, and is not found after that."""
    now = 0.0
    cache = Cache(keep=60, clock=lambda: now)
    reply = await ended(cache)
    now = 59.9
    assert known(cache, reply)
    now = 60.0
    assert not known(cache, reply)


async def test_memory_is_bounded_and_the_oldest_goes_first() -> None:
    """Above the bound the reply that ended first is forgotten, however often it was read."""
    cache = Cache(keep=60, most=1_000)
    replies = [await ended(cache, "x" * 150) for _ in range(3)]
    assert all(known(cache, reply) for reply in replies)
    newest = await ended(cache, "x" * 150)
    assert [known(cache, reply) for reply in [*replies, newest]] == [False, True, True, True]


async def test_found_pages_and_citations_weigh_what_they_hold() -> None:
    """Addresses, titles and quotes, which others have written, take no memory unnoticed."""
    page = FoundPage("https://a.example/", "T" * 300)
    evidence = Found(1, (page,) * 20), Citation(1, page.url, page.title, "q" * 500)
    hand = Hand()
    reply = Reply(hand.write, linger=60)
    hand.say(*evidence, Done("end_turn"))
    await reply.closed()
    assert weight(reply) > 20 * 318 + 818


async def test_a_replys_weight_grows_with_its_text() -> None:
    """Each character of a reply's text adds one to its weight."""
    cache = Cache(keep=60)
    assert weight(await ended(cache, "x" * 1_000)) - weight(await ended(cache)) == 1_000


async def test_keeping_nothing_is_possible() -> None:
    """With a time of zero an ended reply is gone at once."""
    cache = Cache(keep=0)
    assert not known(cache, await ended(cache))


def test_an_unknown_id_is_refused() -> None:
    """A guessed id finds nothing, in the same words as one that is kept no longer."""
    with pytest.raises(UnknownReply):
        Cache(keep=60).get("guessed")
