"""Reads an error's message, if neither its status nor its type is enough.

The wording is Claude's or a gateway's: https://platform.claude.com/docs/en/api/errors names none.
It is never shown, because it may repeat the request.
"""

import re
from collections.abc import Iterator

# characters that are looked at
LONGEST = 1_000
NO_CREDIT = re.compile(
    r"credit balance|\b(purchase|insufficient|not enough|no|out of) (more"
    r" )?(credits?|funds|quota|balance)\b"
    r"|\bspend(ing)? (limit|cap)|\bapi usage limits?\b|\bcurrent quota\b"
)
BILLING = re.compile(r"\bbilling\b|\busage limits?\b")
TOO_LONG = re.compile(
    r"\b(prompt|input|request|conversation|context|messages?)\b[^.:]{0,14}\btoo (long|large|big)\b"
    r"|\bcontext[ -]?(length|window|limit|size)"
    r"|\btoo many (input |prompt )?tokens"
    r"|\b(input|prompt) (length|size|tokens?|token count)\b[^.]{0,40}\bexceed"
    r"|\bexceed[^.]{0,40}\b(input|prompt|context) (length|size|tokens?|window|limit)"
)
BAD_FILE = re.compile(
    r"\bcould not process (the )?(image|pdf|document|file)"
    r"|\b(image|document)\.source\b|\bimages? (dimensions )?exceeds?\b|\bimage dimensions\b"
    r"|\bpdf (pages|is|was|has)\b|\bpassword[ -]protected\b|\bmany-image requests\b"
)
PARAMETERS = {
    "thinking": re.compile(r"\bthinking\b"),
    "output_config": re.compile(r"\boutput ?config|\beffort\b"),
    "tools": re.compile(r"\btools?\b|\bweb ?search\b"),
    "citations": re.compile(r"\bcitations?\b"),
    "cache_control": re.compile(r"\bcache ?control|\bprompt caching\b"),
}
UNNAMED = re.compile(
    r"\b(extra|unknown|unsupported|unrecognized|unrecognised|unexpected|additional)\b[^.]{0,20}"
    r"\b(inputs?|parameters?|fields?|arguments?|property|properties)\b"
)


def complaint(body: object) -> str:
    """The message, code and place of an error, in lower case and with spaces for underscores."""
    return " ".join(_sayings(body))[:LONGEST].lower().replace("_", " ")


def _sayings(body: object) -> Iterator[str]:
    match body:
        case str():
            yield body[:LONGEST]
        case list():
            for item in body[:10]:
                yield from _sayings(item)
        # as FastAPI has it
        case {"loc": list(place), "msg": str(message)}:
            yield f"{'.'.join(map(str, place))}: {message}"
        case dict():
            for name in ("error", "message", "code", "detail", "errors"):
                yield from _sayings(body.get(name))


def says_no_credit(said: str, *, of_a_rate: bool) -> bool:
    """Whether the account has no credit left, or has reached a spend limit. A rate limit whose
    message mentions billing does not count."""
    return bool(NO_CREDIT.search(said) or (not of_a_rate and BILLING.search(said)))


def says_too_long(said: str) -> bool:
    return bool(TOO_LONG.search(said))


def says_bad_file(said: str) -> bool:
    """Whether a picture or a document of the conversation was refused."""
    return bool(BAD_FILE.search(said))


def refused_parameters(said: str) -> frozenset[str]:
    """The optional parameters that were refused; all of them if an unnamed one was."""
    named = frozenset(name for name, words in PARAMETERS.items() if words.search(said))
    return named or (frozenset(PARAMETERS) if UNNAMED.search(said) else frozenset())
