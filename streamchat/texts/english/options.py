"""The choices of a visitor, and why a choice is refused."""

from collections.abc import Callable

GOOD_FOR = {
    "haiku": "Fastest: short questions, translations, summaries.",
    "sonnet": "Fast and capable: good for nearly everything.",
    "opus": "Strong: hard problems, long texts, code.",
    "fable": "Strongest: the hardest problems, with time to think.",
    "mythos": "Strongest, for verified organisations.",
}
WRONG = {
    "twice": "The options came twice. Send them in one header.",
    "long": "The options are too long. Shorten your instructions.",
    "ascii": "The options have to be JSON in plain ASCII.",
    "json": "The options have to be JSON, with each field once.",
    "object": "The options have to be one JSON object.",
    "field": "There is an unknown option. There are model, effort, thinking, system, search.",
    "model": "A model is chosen by its id, as a text.",
    "effort": "An effort is chosen by its name, as a text.",
    "thinking": "Whether thinking is shown has to be true or false.",
    "search": "Whether Claude may search the web has to be true or false.",
    "instructions": "Your instructions have to be a text.",
    "signs": "Your instructions have characters that are no text. Remove them.",
}
NOT_OFFERED = {
    "model": "This chat does not offer that model. It has {offered}.",
    "effort": "This chat does not offer that effort. It has {offered}.",
    "thinking": "The owner has set whether thinking is shown. Ask without that option.",
    "search": "The owner has set whether Claude may search the web. Ask without that option.",
    "instructions": "This chat takes no instructions of your own. Ask without them.",
    "length": "Your instructions may have up to {offered} characters. Shorten them.",
}


def wrong_choice(what: str) -> str:
    return WRONG[what]


def not_offered(what: str, offered: str) -> str:
    return NOT_OFFERED[what].format(offered=offered)


SENTENCES: dict[str, str | Callable[..., str]] = {
    "wrong_choice": wrong_choice,
    "not_offered": not_offered,
    "beyond_share": (
        "One answer of this model may cost more than you may spend here in a day. Choose another"
        " model."
    ),
    "model_gone": "{gone} is no longer available. {instead} answers in its place.",
}
