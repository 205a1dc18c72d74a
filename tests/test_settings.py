import os
import re
import traceback
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from dotenv import dotenv_values
from pydantic import SecretStr

from streamchat.settings import VARIABLES, Settings, SettingsError

ROOT = Path(__file__).parent.parent
DEFAULTS = {
    name: (
        default.get_secret_value()
        if isinstance(
            default := field.get_default(call_default_factory=True, validated_data={}), SecretStr
        )
        else str("" if default is None else default)
    )
    for name, field in VARIABLES.items()
}

SetAll = Callable[..., None]


@pytest.fixture(autouse=True)
def put(monkeypatch: pytest.MonkeyPatch) -> SetAll:
    """Sets variables in an environment without any of ours."""
    for name in [
        name for name in os.environ if name.upper().startswith(("STREAMCHAT_", "ANTHROPIC_"))
    ]:
        monkeypatch.delenv(name)

    def put(**environment: str) -> None:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)

    return put


def complaint() -> str:
    with pytest.raises(SettingsError) as caught:
        Settings.read()
    return str(caught.value)


def key() -> str:
    return Settings.read().api_key.get_secret_value()


def test_nothing_has_to_be_set() -> None:
    """The defaults are no key, a fast model, low effort and a linger of a minute."""
    settings = Settings.read()
    assert key() == ""
    assert (settings.model, settings.effort, settings.max_tokens) == (
        "claude-sonnet-5-5",
        "low",
        16_000,
    )
    assert settings.linger_seconds == 60
    assert settings.system_prompt.startswith("You are a helpful assistant.")


def test_settings_come_from_the_environment(put: SetAll) -> None:
    """Settings have the values of the environment, without the blanks around numbers."""
    put(STREAMCHAT_MODEL="claude-opus-5-5", STREAMCHAT_EFFORT="max", STREAMCHAT_MAX_TOKENS=" 99 ")
    put(
        STREAMCHAT_SYSTEM_PROMPT="Be brief.\n\tAlways.",
        STREAMCHAT_LINGER_SECONDS="1.5",
        ANTHROPIC_API_KEY="sk-test",
    )
    settings = Settings.read()
    assert (settings.model, settings.effort, settings.max_tokens) == ("claude-opus-5-5", "max", 99)
    assert (settings.system_prompt, settings.linger_seconds) == ("Be brief.\n\tAlways.", 1.5)
    assert key() == "sk-test"


@pytest.mark.parametrize(
    "name", sorted({*VARIABLES, "ANTHROPIC_AUTH_TOKEN"} - {"STREAMCHAT_DATA_DIR"})
)
def test_an_empty_variable_counts_as_not_set(put: SetAll, name: str) -> None:
    """An empty line of .env changes nothing."""
    before = Settings.read()
    put(**{name: ""})
    assert Settings.read() == before


def test_an_empty_data_dir_turns_it_off(put: SetAll) -> None:
    """`STREAMCHAT_DATA_DIR=` is the one empty value with a meaning: nothing is kept on disk."""
    assert Settings.read().data_dir == ".streamchat"
    put(STREAMCHAT_DATA_DIR="")
    assert Settings.read().data_dir == ""


def test_searches_have_allowed_or_blocked_domains(put: SetAll) -> None:
    """Claude takes one of the two lists, of domains without a scheme and with a * in a path
    alone."""
    put(STREAMCHAT_SEARCH_BLOCKED=" A.example, b.example/X/* ")
    assert Settings.read().search_domains == {"blocked_domains": ["a.example", "b.example/X/*"]}
    put(STREAMCHAT_SEARCH_ALLOWED="c.example")
    assert "and both are set" in complaint()
    for domain in (
        "https://a.example",
        "*.example",
        "example",
        "b\u00fccher.example",
        "a.example:80",
    ):
        put(STREAMCHAT_SEARCH_ALLOWED=domain, STREAMCHAT_SEARCH_BLOCKED="")
        assert complaint().startswith("STREAMCHAT_SEARCH_ALLOWED is")


@pytest.mark.parametrize("login", ["nobody", ":", "user:", ":secret"])
def test_a_login_is_a_user_and_a_password(put: SetAll, login: str) -> None:
    """Half a login is refused at the start, without showing it."""
    put(STREAMCHAT_AUTH=login)
    assert complaint().startswith(
        "STREAMCHAT_AUTH cannot be used: it should be a user and a password"
    )
    put(STREAMCHAT_AUTH="user:pass:word")
    assert Settings.read().login == ("user", "pass:word")


@pytest.mark.parametrize("login", ["u:p", "eva:sesame7", "a long user:short:1"])
def test_a_logins_password_is_not_short(put: SetAll, login: str) -> None:
    """A short password is refused at the start, without showing it."""
    put(STREAMCHAT_AUTH=login)
    assert (
        complaint()
        == "STREAMCHAT_AUTH cannot be used: its password should have eight characters or more, for"
        " everybody can try."
    )


@pytest.mark.parametrize("around", ["{}\n", "{}\r\n", '"{}"', "'{}'", " {} ", '"{}"\n', "\t{}"])
def test_quotation_marks_and_line_ends_around_a_value_are_removed(put: SetAll, around: str) -> None:
    """Line ends of files with secrets and Docker's quotation marks are no part of a value."""
    put(
        STREAMCHAT_AUTH=around.format("eva:open sesame"),
        STREAMCHAT_OWNER_PASSWORD=around.format("sesame78"),
    )
    put(STREAMCHAT_DATA_DIR=around.format("data"), STREAMCHAT_EFFORT=around.format("max"))
    settings = Settings.read()
    assert settings.login == ("eva", "open sesame")
    assert settings.owner_password.get_secret_value() == "sesame78"
    assert (settings.data_dir, settings.effort) == ("data", "max")


@pytest.mark.parametrize("password", ['sesame78"', "it's mine\"", '"open" sesame"s', "'sesame78\""])
def test_quotation_marks_in_a_value_stay(put: SetAll, password: str) -> None:
    """Only a pair around the whole value is removed."""
    put(STREAMCHAT_AUTH=f"eva:{password}")
    assert Settings.read().login == ("eva", password)


def test_the_data_folder_is_where_the_app_is(
    put: SetAll, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The folder does not depend on the current directory."""
    monkeypatch.chdir(tmp_path)
    assert Settings.read().data_folder == str(ROOT / ".streamchat")
    put(STREAMCHAT_DATA_DIR="data")
    assert Settings.read().data_folder == str(ROOT / "data")
    put(STREAMCHAT_DATA_DIR=str(tmp_path))
    assert Settings.read().data_folder == str(tmp_path)
    put(STREAMCHAT_DATA_DIR="~/data", HOME="/home/eva")
    assert Settings.read().data_folder == "/home/eva/data"
    put(STREAMCHAT_DATA_DIR="")
    assert Settings.read().data_folder == ""


PLACEHOLDERS = [
    "sk-ant-...",
    "sk-ant-api03-...",
    "sk-ant-xxx",
    "<your key>",
    "your-api-key",
    "your_anthropic_api_key_here",
    "...",
]


@pytest.mark.parametrize("placeholder", PLACEHOLDERS)
def test_a_placeholder_is_no_key(put: SetAll, placeholder: str) -> None:
    """A key copied from instructions is refused at the start."""
    put(ANTHROPIC_API_KEY=placeholder)
    assert complaint().startswith(
        "ANTHROPIC_API_KEY cannot be used: it is the placeholder for a key"
    )


def test_an_owners_password_is_not_short(put: SetAll) -> None:
    """A short password is refused at the start without showing it, and the settings never show a
    valid one."""
    put(STREAMCHAT_OWNER_PASSWORD="sesame7")
    assert complaint().startswith(
        "STREAMCHAT_OWNER_PASSWORD cannot be used: it should have eight characters or more"
    )
    assert "sesame" not in complaint()
    put(STREAMCHAT_OWNER_PASSWORD="sesame78")
    assert Settings.read().owner_password.get_secret_value() == "sesame78"
    assert "sesame" not in repr(Settings.read())


def test_other_programs_variables_are_ignored(put: SetAll) -> None:
    """MODEL or EFFORT without our prefix is not read."""
    before = Settings.read()
    put(
        MODEL="t5",
        EFFORT="1",
        MAX_TOKENS="none",
        API_KEY="theirs",
        LINGER_SECONDS="x",
        ANTHROPIC_MODEL="y",
    )
    assert Settings.read() == before


def test_settings_are_read_once(put: SetAll) -> None:
    """Settings read at the start stay the same: neither the environment nor an assignment changes
    them."""
    settings = Settings.read()
    put(STREAMCHAT_MAX_TOKENS="1")
    assert settings.max_tokens == 16_000
    with pytest.raises(ValueError, match="frozen"):
        settings.max_tokens = 1  # type: ignore[misc]


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("STREAMCHAT_MAX_TOKENS", "lots", "integer"),
        ("STREAMCHAT_MAX_TOKENS", "99.5", "integer"),
        ("STREAMCHAT_MAX_TOKENS", "0", "greater than or equal to 1"),
        ("STREAMCHAT_MAX_TOKENS", "128001", "less than or equal to 128000"),
        ("STREAMCHAT_LINGER_SECONDS", "60 s", "number"),
        ("STREAMCHAT_LINGER_SECONDS", "0.5", "greater than or equal to 1"),
        ("STREAMCHAT_LINGER_SECONDS", "3601", "less than or equal to 3600"),
        ("STREAMCHAT_LINGER_SECONDS", "inf", "less than or equal to 3600"),
        ("STREAMCHAT_LINGER_SECONDS", "nan", "less than or equal to 3600"),
        ("STREAMCHAT_DAILY_BUDGET_USD", "inf", "finite number"),
        ("STREAMCHAT_VISITOR_BUDGET_USD", "Infinity", "finite number"),
        ("STREAMCHAT_VISITOR_BUDGET_USD", "nan", "finite number"),
        ("STREAMCHAT_EFFORT", "extreme", "'low', 'medium', 'high', 'xhigh' or 'max'"),
        ("STREAMCHAT_MODEL", "sonnet 5", "by its id"),
        ("STREAMCHAT_DEMO_WHEN_SPENT", "maybe", "'on' or 'off'"),
        ("STREAMCHAT_EXAMPLES", "|||", "1 to 8 examples"),
        ("STREAMCHAT_EXAMPLES", "|".join("123456789"), "1 to 8 examples"),
        ("STREAMCHAT_EXAMPLES", "a|" + "b" * 201, "no example of more than 200 characters"),
        ("STREAMCHAT_MODEL", "claude;sonnet", "by its id"),
    ],
)
def test_a_bad_value_is_refused_in_one_line(
    put: SetAll, name: str, value: str, allowed: str
) -> None:
    """The line names the variable, its value, the values allowed and what the variable does."""
    put(**{name: value})
    line = complaint()
    assert line.startswith(f"{name} is '{value}', but it ")
    assert allowed in line
    assert line.endswith(str(VARIABLES[name].description))
    assert "\n" not in line


def test_all_bad_values_are_named_at_once(put: SetAll) -> None:
    """Three mistakes are three lines of one error."""
    put(
        STREAMCHAT_EFFORT="x",
        STREAMCHAT_MAX_TOKENS="y",
        STREAMCHAT_LINGER_SECONDS="z",
        ANTHROPIC_API_KEY="sk-é",
    )
    assert [line.split()[0] for line in complaint().splitlines()] == [
        "ANTHROPIC_API_KEY", "STREAMCHAT_EFFORT", "STREAMCHAT_MAX_TOKENS", "STREAMCHAT_LINGER_SECONDS",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("misspelt", "meant"),
    [
        ("STREAMCHAT_MODLE", "STREAMCHAT_MODEL"),
        ("STREAMCHAT_MAX_TOKEN", "STREAMCHAT_MAX_TOKENS"),
        ("STREAMCHAT_EFORT", "STREAMCHAT_EFFORT"),
        ("STREAMCHAT_SYSTEMPROMPT", "STREAMCHAT_SYSTEM_PROMPT"),
        ("STREAMCHAT_LINGER_SECS", "STREAMCHAT_LINGER_SECONDS"),
    ],
)
def test_a_misspelt_variable_is_noticed(put: SetAll, misspelt: str, meant: str) -> None:
    """The error names an unknown variable of ours, and the one that was probably meant."""
    put(**{misspelt: "1"})
    assert complaint() == f"{misspelt} is not a setting. Did you mean {meant}?"


def test_all_misspelt_variables_are_named_at_once(put: SetAll) -> None:
    """Two misspelt variables are two lines in alphabetical order."""
    put(STREAMCHAT_MODLE="1", STREAMCHAT_EFORT="low")
    assert [line.split()[0] for line in complaint().splitlines()] == [
        "STREAMCHAT_EFORT",
        "STREAMCHAT_MODLE",
    ]


def test_bad_values_and_misspelt_variables_are_named_at_once(put: SetAll) -> None:
    """Both kinds of mistakes are in one error."""
    put(STREAMCHAT_EFFORT="x", STREAMCHAT_MODLE="y")
    assert [line.split()[0] for line in complaint().splitlines()] == [
        "STREAMCHAT_EFFORT",
        "STREAMCHAT_MODLE",
    ]


@pytest.mark.parametrize("name", ["STREAMCHAT_ZZZZ", "STREAMCHAT_API_KEY", "STREAMCHAT_PORT"])
def test_a_name_that_resembles_none_gets_no_wrong_suggestion(put: SetAll, name: str) -> None:
    """Misspelt names of a port or a key do not lead to a suggestion of the model or the tokens."""
    put(**{name: "1"})
    assert not re.search(r"Did you mean STREAMCHAT_(MODEL|MAX_TOKENS|EFFORT)", complaint())


def test_only_existing_variables_are_suggested(put: SetAll) -> None:
    """A variable that was just refused is not suggested."""
    put(STREAMCHAT_ANTHROPIC_API_KEY="sk-test")
    assert set(re.findall(r"Did you mean (\w+)", complaint())) <= VARIABLES.keys()


@pytest.mark.parametrize(
    "pasted",
    [
        "sk-ant-1",
        " sk-ant-1 ",
        "sk-ant-1\r\n",
        "sk-\n  ant-1",
        '"sk-ant-1"',
        "'sk-ant-1'",
        ' "sk-ant-1"\n',
    ],
)
@pytest.mark.parametrize("name", ["ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"])
def test_a_pasted_key_is_cleaned(put: SetAll, name: str, pasted: str) -> None:
    """Blanks, line breaks and quotation marks around or inside a key are removed."""
    put(**{name: pasted})
    assert key() == "sk-ant-1"


@pytest.mark.parametrize("nothing", [" ", "\n", '""', "''", ' "" '])
def test_a_key_of_nothing_is_no_key(put: SetAll, nothing: str) -> None:
    """Quotation marks alone mean no key: the demo answers."""
    put(ANTHROPIC_API_KEY=nothing)
    assert key() == ""


IMPOSSIBLE = [
    "sk-ant-sécret",
    "“sk-ant-sécret”",
    "sk-ant-secret\u200b",
    "\ufeffsk-ant-secret",
    "sk-ant-secret\a",
]


@pytest.mark.parametrize("impossible", IMPOSSIBLE)
def test_an_impossible_key_is_refused_without_showing_it(put: SetAll, impossible: str) -> None:
    """Typographic quotes and invisible signs are refused at the start, and no part of the key is
    printed."""
    put(ANTHROPIC_API_KEY=impossible)
    with pytest.raises(SettingsError) as caught:
        Settings.read()
    assert str(caught.value).startswith("ANTHROPIC_API_KEY cannot be used: ")
    assert "\n" not in str(caught.value)
    assert "cret" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("impossible", IMPOSSIBLE)
def test_a_key_is_not_shown_along_with_other_mistakes(put: SetAll, impossible: str) -> None:
    """Other mistakes in the environment do not print the key either."""
    put(ANTHROPIC_AUTH_TOKEN=impossible, STREAMCHAT_EFFORT="x")
    assert "cret" not in complaint()


def test_an_impossible_token_is_called_by_its_own_name(put: SetAll) -> None:
    """A complaint about ANTHROPIC_AUTH_TOKEN does not speak of ANTHROPIC_API_KEY."""
    put(ANTHROPIC_AUTH_TOKEN="tök")
    assert complaint().startswith("ANTHROPIC_AUTH_TOKEN cannot be used: ")


def test_an_impossible_key_is_refused_in_small_letters_too(put: SetAll) -> None:
    """Variables in small letters are read, and checked, too."""
    put(anthropic_api_key="sk-é")
    assert "cannot be used" in complaint()


def test_settings_never_show_the_key(put: SetAll) -> None:
    """No string form of the settings has the key."""
    put(ANTHROPIC_API_KEY="sk-ant-secret")
    settings = Settings.read()
    for written in (
        repr(settings),
        str(settings),
        repr(settings.model_dump()),
        settings.model_dump_json(),
    ):
        assert "ant-secret" not in written


def test_a_key_goes_before_a_token(put: SetAll) -> None:
    """With both, the key is used, as in Claude's own client; a token alone works."""
    put(ANTHROPIC_AUTH_TOKEN="token")
    assert key() == "token"
    put(ANTHROPIC_API_KEY="sk-test")
    assert key() == "sk-test"


def test_an_empty_key_does_not_hide_a_token(put: SetAll) -> None:
    """An empty ANTHROPIC_API_KEY, as in the example, leaves a token in use."""
    put(ANTHROPIC_API_KEY="", ANTHROPIC_AUTH_TOKEN="token")
    assert key() == "token"


READ = [
    Path("README.md"),
    *(path.relative_to(ROOT) for path in sorted((ROOT / "docs").glob("*.md"))),
]


def text(path: str) -> str:
    return (ROOT / path).read_text("utf-8")


@pytest.mark.parametrize("name", VARIABLES)
def test_a_setting_is_in_the_table(name: str) -> None:
    """The table of the settings has each of them with its default."""
    rows = [
        line for line in text("docs/settings.md").splitlines() if line.startswith(f"| `{name}`")
    ]
    assert len(rows) == 1
    assert DEFAULTS[name] in rows[0]


@pytest.mark.parametrize("name", VARIABLES)
def test_a_setting_is_in_the_example(name: str) -> None:
    """Each setting is a commented line with its default, or empty."""
    lines = re.findall(rf"^(?:# ?)?({name}=.*)$", text(".env.example"), re.MULTILINE)
    assert len(lines) == 1
    assert dotenv_values(stream=StringIO(lines[0]))[name] in (DEFAULTS[name], "")


@pytest.mark.parametrize("name", VARIABLES)
def test_a_copied_example_sets_nothing(name: str) -> None:
    """A copied example leaves all defaults."""
    assert not dotenv_values(stream=StringIO(text(".env.example"))).get(name)


@pytest.mark.parametrize("path", [".env.example", *map(str, READ)])
def test_the_docs_name_only_existing_settings(path: str) -> None:
    """A renamed or removed setting is gone from the documentation."""
    assert set(re.findall(r"STREAMCHAT_[A-Z]\w*", text(path))) <= VARIABLES.keys()


GATEWAY = {"ANTHROPIC_BASE_URL": "https://gateway.example/anthropic"}
HEADERS = {"ANTHROPIC_CUSTOM_HEADERS": "X-Gateway-Token: secret"}


@pytest.mark.parametrize(
    ("environment", "takes"),
    [
        ({}, True),
        ({"ANTHROPIC_BASE_URL": "https://api.anthropic.com/v1/"}, True),
        (GATEWAY, False),
        ({"ANTHROPIC_BASE_URL": "https://api.anthropic.com.gateway.example"}, False),
        ({"ANTHROPIC_BASE_URL": "https://api.anthropic.com@gateway.example"}, False),
        (HEADERS, False),
        ({"ANTHROPIC_CUSTOM_HEADERS": ""}, True),
        (GATEWAY | HEADERS | {"STREAMCHAT_OWN_KEYS": "on"}, True),
        ({"STREAMCHAT_OWN_KEYS": "off"}, False),
        (GATEWAY | {"STREAMCHAT_OWN_KEYS": ""}, False),
    ],
)
def test_own_keys_are_off_behind_a_gateway(
    put: SetAll, environment: dict[str, str], takes: bool
) -> None:
    """A gateway may answer any key at the owner's expense, so the owner has to turn own keys on."""
    put(**environment)
    assert Settings.read().takes_own_keys is takes
