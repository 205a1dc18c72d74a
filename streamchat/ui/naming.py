"""Names an answer by a hash, so that a vote can be kept without the answer's words."""

import hashlib

from streamchat.ui.missing import place_of
from streamchat.ui.tab import Tab
from streamchat.ui.transcript import conversation, text_of


def name_of_answer(tab: Tab, turn: int) -> bytes:
    """A hash of the answer to the page's turn with that number, the same in all copies of the tab.
    Empty without an answer, or while it is written."""
    messages = tab.messages()
    asked = [place for place, message in enumerate(messages) if message["role"] == "user"]
    kept = place_of(turn, tab.missing)
    if kept is None or not 0 <= kept < len(asked) - tab.running:
        return b""
    question, *rest = messages[asked[kept] : (asked[kept + 1 :] or [len(messages)])[0]]
    words = [each.text for each in conversation(rest)]
    whole = "\0".join([tab.person, str(tab.path()[kept]), text_of(question), *words])
    return hashlib.blake2b(whole.encode(errors="replace"), digest_size=16).digest() * any(words)
