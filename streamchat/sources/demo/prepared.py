"""The prepared answers: the messages that they answer, and how they are given."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from streamchat.errors import AttachmentRejected, BrokenOff, Busy, ChatError
from streamchat.sources.demo.steps import without

CUT = "<!-- cut -->"
# characters of a message that are looked at, since all of them would hold the event loop
LONGEST = 400_000

STATES = {
    "Show me everything Markdown can do": (
        "headings, lists, tables, code, formulas and the world's scripts"
    ),
    "Think it through: why is the sky blue?": "three seconds of thinking before the answer",
    "Search the web for the longest river": "a search, and sources behind what they support",
    "Write me 2,000 words about rivers": "a long answer, fast, and time enough to stop it",
    "Fail in the middle": "a connection that breaks off; what was written stays",
    "Take your time before you answer": "eight seconds without a word, in which stop works",
    "Be busy at first": "two attempts that are turned away, and a third that is not",
    "Fail before the first word": "a failure with nothing written, and when to try again",
    "Stop in the middle of a sentence": "an answer that has reached its greatest length",
    "Refuse to answer this": "an answer that is declined after a few words",
    "Say nothing at all": "an answer that ends without a word",
    "Let a search fail": "a search that finds nothing, and an answer all the same",
    "Pause in the middle of a search": "an answer that pauses, and goes on by itself",
    "Reject this file": "a file that cannot be read; attach one, or send only these words",
}
EXAMPLES = tuple(STATES)[:5]


Reader = Literal["owner", "key_holder", "visitor"]


@dataclass(frozen=True, slots=True)
class Answer:
    """A text and how it is given. The text after a `CUT` is left for a continuation."""

    text: str = ""
    thinking: str = ""
    turned_away: int = 0
    # seconds before the first word
    wait: float = 0.3
    pace: float = 40  # words a second
    ending: str | Callable[[], ChatError] = "end_turn"

    def after(self, begun: str) -> "Answer":
        """The rest of this answer after `begun`, without further cuts and pauses."""
        whole = without(self.text.replace(CUT, ""))
        rest = whole.removeprefix(begun) if whole.startswith(begun) else ""
        return Answer(rest or "\n\n*There is nothing to add to that.*", pace=self.pace)


def read(name: str) -> str:
    return (Path(__file__).with_name("answers") / f"{name}.md").read_text("utf-8").strip()


_SKY = "why (is the sky|the sky is) blue"
THINK = "think (it|this|that|about (it|this|that)) (through|over|carefully) "
_2000 = "((2 ?000|two thousand) words|an? (long )?(essay|text))"
_APP = "(this|you|streamchat|the demo)( app| chat| page| demo| site)?"
_KEY = "(to )?(the |an? |my )?(real )?(claude|(anthropic |claude )?(api )?key)( here)?"

REJECT = "reject (it|this|that|them|(this|the|my) (file|picture|image|pdf|document|text)s?)"
SEARCH = re.compile(
    r"\W*(?:please |can you |could you )?"
    r"(?:search|look) (?:the (?:web|internet)|online) (?:for|about) (?P<query>.+)",
    re.IGNORECASE | re.DOTALL,
)
# characters of a search's words
LONGEST_QUERY = 100

_PREPARED = {
    "let (a|the|one) search fail|fail (to|in a) search": Answer(read("search_fails")),
    "pause (in the middle of|during|in) (a|the) search": Answer(read("search_pauses")),
    REJECT: Answer(ending=AttachmentRejected),
    "(show|give|tell)( me)? (everything|all|what)( that)? markdown (can do|can|does|has)": Answer(
        read("tour")
    ),
    "what can markdown do|(show me )?(a |the )?markdown (demo|tour|test)": Answer(read("tour")),
    THINK + _SKY: Answer(read("sky"), thinking=read("sky_thinking")),
    _SKY: Answer(read("sky")),
    f"(write |give )?(me )?{_2000} (about|on) (the )?rivers?": Answer(read("rivers"), pace=100),
    "write (me )?a friendly letter (that asks|asking|to ask) my neighbou?r for quiet"
    "( after ten)?( in the evening)?": Answer(read("letter")),
    "write (me )?a python (script|program) (that|which|to) finds? duplicate files"
    "( in a (folder|directory))?": Answer(read("script"), pace=60),
    "(compare|list) europe's (five )?longest rivers( in a table)?": Answer(read("longest")),
    "plan (me )?(three|3) days in lisbon( with (two|2) (children|kids))?( and (no|without a) car)?"
    "": Answer(read("lisbon")),
    "take (all )?(your|the) time( you need)?( before (you )?(answer|reply)(ing)?)?": Answer(
        read("wait"), wait=8
    ),
    "be busy( at first| first| for a while)?": Answer(read("busy"), turned_away=2),
    "refuse (to answer( this| that| me)?|this|that)": Answer(read("refuse"), ending="refusal"),
    "(stop|end|break off) (in the middle of|mid) ?(an?|the|your)? ?sentence": Answer(
        read("unfinished"), ending="max_tokens"
    ),
    "fail (before (the|your) first word|at once|immediately|right away)": Answer(
        read("unavailable"), ending=partial(Busy, retry_after=20)
    ),
    "fail (in the middle|half ?way|midway)( through| of)?"
    "( (an?|the|your) (sentence|answer|text))?": Answer(read("login"), ending=BrokenOff),
    "(say|answer|write) nothing( at all)?": Answer(),
    "(hi|hello|hey|hallo|hola|bonjour|ciao|good (morning|afternoon|evening))"
    "( there| claude| demo| world)?": Answer(read("hello")),
    "((hi|hello|hey) )?how are you( doing)?( today)?": Answer(read("well")),
    "(many )?(thanks|thank you|thx|cheers)( so much| very much| a lot| again| claude)?": Answer(
        read("thanks")
    ),
    "(good ?)?bye( bye)?|see you( later| soon)?": Answer(read("bye")),
    "help( me)?|examples|what (can|should|do) (you|i|this)( app| chat| demo)?"
    " (do|show me|ask|try|say)( here)?": Answer(
        read("help").format(
            states="\n".join(f"| {message} | {shows} |" for message, shows in STATES.items())
        )
    ),
    f"(what|who)( is|'s| are) {_APP}( about)?|how does {_APP} work"
    "|are you (claude|real|an? (bot|human|ai))": Answer(read("about")),
}
CONNECT = (
    f"(how|where) (do|can|should) i (connect|use|get|add|set up|put|enter|talk) {_KEY}|connect (to"
    " )?claude"
)
ADVICE: dict[Reader, str] = {
    "owner": (
        "For a real answer, [get a key](https://platform.claude.com/settings/keys), put"
        " `ANTHROPIC_API_KEY=` and the key into a file named `.env` next to `app.py`, and start the"
        " chat again: then Claude answers here."
    ),
    "key_holder": (
        "For a real answer, enter an API key of your own under **Your own API key** in the options"
        " at the top: then Claude answers you here."
    ),
    "visitor": "A real answer takes Claude.",
}
CONNECTED: dict[Reader, str] = {
    "owner": read("connect"),
    "key_holder": read("connect_own_key"),
    "visitor": read("connect_visitor"),
}
_POLITE = "^((please|can you|could you|would you|now|ok|okay|so) )+|( (please|now|for me))+$"


def unanswered(text: str) -> str:
    """The last message alone, without the unanswered ones that precede it as paragraphs."""
    if len(text) > LONGEST:
        return text
    paragraphs = text.strip().split("\n\n", 20)
    while len(paragraphs) > 1 and prepared_answer(paragraphs[0]):
        del paragraphs[0]
    return "\n\n".join(paragraphs)


def prepared_answer(text: str) -> Answer | None:
    plain = plain_words(text)
    if plain and (search := SEARCH.fullmatch(text)):
        return _search(search["query"])
    return next(
        (answer for pattern, answer in _PREPARED.items() if re.fullmatch(pattern, plain)), None
    )


def _search(query: str) -> Answer:
    words = " ".join(re.sub(r"[^\w\s'’,-]", " ", query)[:LONGEST_QUERY].split())
    return Answer(read("search").replace("{query}", words))


def plain_words(text: str) -> str:
    """The words of a short message in lower case, without polite ones; empty for a long message."""
    if len(text) > 300:
        return ""
    words = re.findall(r"[^\W_]+(?:'[^\W_]+)*", text.casefold().replace("’", "'"))
    return re.sub(_POLITE, "", " ".join(words))
