"""Every setting: its environment variable, default, bounds and unit, read once and checked."""

import difflib
import os
import re
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    AliasChoices,
    Field,
    FiniteFloat,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic_settings import SettingsConfigDict

from streamchat.attachments.settings import FileSettings
from streamchat.examples import checked as checked_examples
from streamchat.look import LookSettings
from streamchat.options import EFFORTS, Effort, OfSearch
from streamchat.system.environment import ROOT
from streamchat.visitors import keys, rate

PREFIX = "STREAMCHAT_"
KEYS = ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN")
BASE_URL = "ANTHROPIC_BASE_URL"
CUSTOM_HEADERS = "ANTHROPIC_CUSTOM_HEADERS"
CLAUDE = "https://api.anthropic.com"


class SettingsError(Exception):
    """One or more settings cannot be used; the message has a line for each and shows no secret."""


HOST_NAME = r"\*|(?:[A-Za-z0-9_-][A-Za-z0-9._-]{0,252}|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?"
SHORTEST_PASSWORD = 8
MOST_USD = 1_000_000
MOST_MODELS = 20
PER_VISITOR = ("rate_limit", "visitor_replies", "visitor_budget_usd")


def _unquoted(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    text = value.strip()
    quoted = len(text) > 1 and text[0] == text[-1] and text[0] in "\"'"
    return text[1:-1].strip() if quoted else text


def _clean_key(key: SecretStr) -> SecretStr:
    return SecretStr(keys.clean(key.get_secret_value()))


def _server(url: str) -> str:
    """The address without `/v1`, which the SDK adds."""
    url = url.strip(" \t\r\n\"'")
    if not url:
        return CLAUDE
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0:
        raise ValueError("it should be an address that begins with https:// or http://")
    return re.sub("/*(/v1)?(/+messages)?/*$", "", url)


def _one_word(model: str) -> str:
    if not re.fullmatch(r"[\w.:@/-]+", model):
        raise ValueError("it should be one word of letters, digits and -")
    return model


def _words(models: str) -> str:
    names = _parts(models)
    for name in names:
        _one_word(name)
    if len(names) > MOST_MODELS:
        raise ValueError(f"it should be {MOST_MODELS} models at most")
    return models


def _efforts(names: str) -> str:
    if names != "off" and not {*_parts(names)} <= {*EFFORTS}:
        raise ValueError(f"it should be off, or some of {', '.join(EFFORTS)}")
    return names


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _long_enough(password: SecretStr) -> SecretStr:
    if password and len(password.get_secret_value()) < SHORTEST_PASSWORD:
        raise ValueError("it should have eight characters or more, for everybody can try")
    return password


def _user_and_password(auth: SecretStr) -> SecretStr:
    user, _, password = auth.get_secret_value().partition(":")
    if auth and not (user and password):
        raise ValueError("it should be a user and a password with a colon between them")
    if auth and len(password) < SHORTEST_PASSWORD:
        raise ValueError("its password should have eight characters or more, for everybody can try")
    return auth


def _host_names(text: str) -> str:
    for name in text.split(",") if text else ():
        if not re.fullmatch(HOST_NAME, name.strip()):
            raise ValueError(
                "it should be names of hosts with commas between them, as in"
                " chat.example,chat.local:8443"
            )
    return text


Key = Annotated[SecretStr, AfterValidator(_clean_key)]


class Settings(LookSettings, FileSettings, OfSearch):
    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, extra="ignore", frozen=True
    )

    @model_validator(mode="before")
    @classmethod
    def _cleaned(cls, values: dict[str, Any]) -> dict[str, Any]:
        """Removes the quotation marks and line ends that Docker and files of secrets leave around
        values."""
        return {
            name: _unquoted(value) if name != "system_prompt" else value
            for name, value in values.items()
        }

    api_key: Key = Field(
        SecretStr(""),
        validation_alias=AliasChoices(*KEYS),
        description="The key to Claude, from the Claude Console. Without one, the demo answers.",
    )
    base_url: Annotated[str, AfterValidator(_server)] = Field(
        CLAUDE,
        validation_alias=BASE_URL,
        description="The address of Claude, or of a gateway in its place.",
    )
    model: Annotated[str, AfterValidator(_one_word)] = Field(
        "claude-sonnet-5-5", description="The Claude model that answers, by its id."
    )
    models: Annotated[str, AfterValidator(_words)] = Field(
        "",
        description=(
            "Further models that visitors may choose, by their ids, with commas between them."
        ),
    )
    effort: Effort = Field(
        "low",
        description="How much Claude thinks before it answers: low, medium, high, xhigh or max.",
    )
    efforts: Annotated[str, AfterValidator(_efforts)] = Field(
        "low,medium,high",
        description="The efforts that visitors may choose, with commas between them, or off.",
    )
    thinking: Literal["choice", "shown", "hidden"] = Field(
        "choice",
        description="Whether Claude's thinking is shown: as visitors choose, or as set here.",
    )
    max_tokens: int = Field(
        16_000,
        ge=1,
        le=128_000,
        description="The most tokens of one answer, its thinking included.",
    )
    system_prompt: str = Field(
        "You are a helpful assistant. Answer in the language of the question, in Markdown where it"
        " helps. "
        r"Set formulas in \(...\) within a line and in $$...$$ on a line of their own.",
        description="What Claude is told before the conversation.",
    )
    instructions: int = Field(
        1_000,
        ge=0,
        le=10_000,
        description="Characters of instructions of their own that visitors may add, or 0.",
    )
    linger_seconds: float = Field(
        60,
        ge=1,
        le=3_600,
        description="How long a reply goes on with nobody reading it, in seconds.",
    )
    keep_seconds: float = Field(
        3_600,
        ge=0,
        le=604_800,
        description="How long an ended reply can be read again, in seconds.",
    )
    silence_seconds: FiniteFloat = Field(
        90,
        gt=0,
        le=3_600,
        description="How long Claude may go without a word or a thought, in seconds.",
    )
    reply_seconds: FiniteFloat = Field(
        1_800, gt=0, le=86_400, description="How long a reply may take in all, in seconds."
    )
    continuations: int = Field(
        2,
        ge=0,
        le=10,
        description="How often an answer that breaks off in the middle is continued by itself.",
    )
    data_dir: str = Field(
        default_factory=lambda: os.environ.get("STREAMCHAT_DATA_DIR", ".streamchat"),
        description="Where conversations survive a restart; empty for nowhere.",
    )
    keep_days: FiniteFloat = Field(
        30,
        gt=0,
        le=3_650,
        description="How long a conversation is kept after its last word, in days.",
    )
    rate_limit: Annotated[str, AfterValidator(rate)] = Field(
        "20/minute;300/day",
        description="How often one visitor may ask, as in 20/minute;300/day, or off.",
    )
    visitor_replies: int = Field(
        3, ge=1, description="How many replies one visitor may have running at once."
    )
    max_replies: int = Field(
        100, ge=1, le=400, description="How many replies may run at once in all."
    )
    daily_budget_usd: FiniteFloat = Field(
        5,
        ge=0,
        le=MOST_USD,
        description="Dollars that all visitors together may spend in a UTC day.",
    )
    visitor_budget_usd: FiniteFloat = Field(
        0.5, ge=0, le=MOST_USD, description="Dollars that one visitor may spend in a UTC day."
    )
    own_keys: Literal["auto", "on", "off"] = Field(
        "auto",
        description=(
            "Whether visitors may ask with keys of their own: on, off, or auto, which is on without"
            " a gateway."
        ),
    )
    demo_when_spent: Literal["on", "off"] = Field(
        "off",
        description=(
            "Whether the demo answers on the page where money is spent or Claude is paused: on or"
            " off."
        ),
    )
    examples: Annotated[str, AfterValidator(checked_examples)] = Field(
        "",
        description=(
            "The examples that the page offers, one a line or with | between them, or off for none."
        ),
    )
    feedback: Literal["on", "text", "off"] = Field(
        "on", description="Whether readers give answers thumbs: on, off, or text for words as well."
    )
    sharing: Literal["on", "public", "off"] = Field(
        "on",
        description=(
            "Whether visitors may share conversations by a link: on, public for links that ask for"
            " no login, or off."
        ),
    )
    titles: Literal["on", "off"] = Field(
        "on",
        description=(
            "Whether the cheapest Claude names saved conversations, for about $0.00004 each: on or"
            " off."
        ),
    )
    auth: Annotated[SecretStr, AfterValidator(_user_and_password)] = Field(
        SecretStr(""),
        description=(
            "The user:password that page and API ask for, the password with eight characters or"
            " more."
        ),
    )
    hosts: Annotated[str, AfterValidator(_host_names)] = Field(
        "",
        description=(
            "Further names by which the chat is known, with commas between them, or * for any name."
        ),
    )
    owner_password: Annotated[SecretStr, AfterValidator(_long_enough)] = Field(
        SecretStr(""), description="The password of the owner's page; unset, there is no such page."
    )

    def for_owner(self) -> Self:
        """The settings without the default limits per visitor, for a chat that only its owner can
        reach."""
        off = {
            "rate_limit": "off",
            "visitor_replies": self.max_replies,
            "visitor_budget_usd": self.daily_budget_usd,
        }
        return self.model_copy(
            update={name: off[name] for name in PER_VISITOR if name not in self.model_fields_set}
        )

    @property
    def has_key(self) -> bool:
        """Whether Claude answers at the owner's expense."""
        return bool(self.api_key.get_secret_value())

    @property
    def data_folder(self) -> str:
        """`data_dir` as an absolute path, independent of the current directory; empty if nothing is
        kept."""
        # unlike `Path.expanduser`, it raises nothing where there is no home
        return str(ROOT / os.path.expanduser(self.data_dir)) if self.data_dir else ""  # noqa: PTH111

    @property
    def takes_own_keys(self) -> bool:
        """Whether visitors may bring a key. By default not with a gateway, which may accept any
        key."""
        if self.own_keys != "auto":
            return self.own_keys == "on"
        return urlsplit(self.base_url).hostname == urlsplit(CLAUDE).hostname and not os.environ.get(
            CUSTOM_HEADERS
        )

    @property
    def offered_models(self) -> list[str]:
        """The models that visitors may choose; the first one is the default."""
        return list(dict.fromkeys([self.model, *_parts(self.models)]))

    @property
    def offered_efforts(self) -> list[Effort]:
        return [effort for effort in EFFORTS if effort in _parts(self.efforts)]

    @property
    def host_names(self) -> list[str]:
        return [name.strip() for name in self.hosts.split(",") if name]

    @property
    def login(self) -> tuple[str, str] | None:
        user, _, password = self.auth.get_secret_value().partition(":")
        return (user, password) if user else None

    @classmethod
    def read(cls) -> Self:
        """Reads the environment; raises `SettingsError` with one line for each thing that is
        wrong."""
        wrong = [
            _unknown(name)
            for name in sorted(os.environ)
            if name.startswith(PREFIX) and name not in VARIABLES
        ]
        try:
            settings = cls()
        except ValidationError as error:
            wrong = [_sentence(details) for details in error.errors()] + wrong
        if wrong:
            raise SettingsError("\n".join(wrong)) from None
        return settings


def _variable(name: str) -> str:
    return {"api_key": KEYS[0], "base_url": BASE_URL}.get(name, PREFIX + name.upper())


VARIABLES = {_variable(name): field for name, field in Settings.model_fields.items()}


def _sentence(details: Any) -> str:
    name = str(details["loc"][0])
    wrong = what_is_wrong(details)
    if name in KEYS:
        return (
            f"{next(filter(set(map(str.upper, os.environ)).__contains__, KEYS))} cannot be used:"
            f" {wrong}."
        )
    if name == BASE_URL:
        return f"{BASE_URL} cannot be used: {wrong}."
    if name in ("auth", "owner_password"):
        return f"{_variable(name)} cannot be used: {wrong}."
    return (
        f"{_variable(name)} is {details['input']!r}, but {wrong}."
        f" {Settings.model_fields[name].description}"
    )


def what_is_wrong(details: Any) -> str:
    """One of pydantic's findings as the rest of a sentence."""
    wrong: str = details["msg"].removeprefix("Value error, ").partition(", unable to parse")[0]
    return wrong.replace("Input", "it").replace("String", "it")


def _unknown(name: str) -> str:
    known = [knob.removeprefix(PREFIX) for knob in VARIABLES if knob.startswith(PREFIX)]
    close = difflib.get_close_matches(name.removeprefix(PREFIX), known, n=1, cutoff=0.7)
    return f"{name} is not a setting." + (f" Did you mean {PREFIX}{close[0]}?" if close else "")
