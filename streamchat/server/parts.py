"""Puts the parts of a chat together from the settings."""

import logging
from collections.abc import Sequence

from gradio import ChatInterface

from streamchat import examples
from streamchat.chat import Adjustments, Chat, Files, Source, Sources, Votes
from streamchat.events import Message
from streamchat.meter import fastest
from streamchat.money import Accounts, Budget, Prices
from streamchat.options import Menu
from streamchat.saved import sharing
from streamchat.server.app import StreamChat
from streamchat.settings import Settings
from streamchat.sources.demo import Demo
from streamchat.sources.lazy import Backend, LazySource
from streamchat.store import Store
from streamchat.ui import Tabs, Titling, greet, page
from streamchat.visitors import Limits, Proxies, Visitors
from streamchat.web.hosts import Hosts
from streamchat.web.login import Logins
from streamchat.web.login_page import LoginPage
from streamchat.web.shell import Shell

MONEY = ("daily_budget_usd", "visitor_budget_usd")

logger = logging.getLogger("streamchat")

# seconds
DAY = 86_400.0


def create(  # noqa: PLR0913 (each is a part that the program chooses)
    settings: Settings,
    *,
    source: Source | None = None,
    proxies: Proxies | None = None,
    hosts: Hosts | None = None,
    framed_by: Sequence[str] = (),
    private: bool = False,
) -> StreamChat:
    """Puts a chat together. The hosts of the settings are added to `hosts`; the sites in
    `framed_by` may frame the page.

    A `source` answers in place of Claude and the demo, and costs nothing. A `private` chat can be
    reached only from its owner's machine, unless a proxy passes requests on.
    """
    proxies = proxies or Proxies.of("", on_spaces=False)
    hosts = hosts or Hosts()

    identify = Visitors(proxies, private=private)
    for name in settings.host_names:
        hosts.add(name)
    store = Store(settings.data_folder, max_age=settings.keep_days * DAY)
    chat = chat_with(Sources(source), settings, store) if source else chat_of(settings, store)
    tabs = Tabs(chat, store)
    titling = Titling(chat, tabs) if settings.titles == "on" else None
    look, examples = settings.look, examples_of(settings)
    chat_page = page(chat, tabs, identify, titling, look=look, examples=examples)
    adjustments = adjustments_of(settings, store, chat, chat_page)
    login_page = LoginPage(Shell(lambda: adjustments.now.look), framed_by)
    logins = Logins(*settings.login, identify, login_page) if settings.login else None
    return StreamChat(
        settings,
        store,
        chat,
        adjustments,
        Votes(store, takes_words=settings.feedback == "text"),
        identify,
        tabs,
        chat_page,
        proxies,
        hosts,
        logins,
        framed_by,
    )


def examples_of(settings: Settings) -> Sequence[str]:
    """The owner's examples, or the usual ones."""
    return examples.split(settings.examples) if settings.examples else examples.USUAL


def chat_of(settings: Settings, store: Store) -> Chat:
    paid = settings.has_key
    prices = Prices(settings.model)
    menu = menu_of(settings)
    claude = LazySource(
        f"Claude ({settings.model})", settings.model, lambda: claude_of(settings, menu)
    )
    local = settings.for_owner()
    budget = Budget(
        store,
        daily=settings.daily_budget_usd,
        visitor=settings.visitor_budget_usd,
        local=local.visitor_budget_usd,
    )
    if paid:
        warn_of_too_little(settings, prices)
    demo = Demo(takes_keys=settings.takes_own_keys)
    accounts = Accounts(
        budget if paid else None,
        prices,
        settings.system_prompt,
        settings.max_tokens,
        speed=fastest(settings.model),
        others={model: Prices(model) for model in settings.offered_models[1:]},
        count=claude.count,
        searches=settings.max_searches,
    )
    sources = Sources(
        claude if paid else demo,
        accounts,
        spare=demo if settings.demo_when_spent == "on" else None,
        own=claude if settings.takes_own_keys else None,
        shared=frozenset(examples_of(settings)),
    )
    return chat_with(sources, settings, store, menu)


# the values that visitors may choose; the first one is the default
THINKING = {"choice": (True, False), "shown": (True,), "hidden": (False,)}


def menu_of(settings: Settings) -> Menu:
    return Menu(
        settings.offered_models,
        effort=settings.effort,
        efforts=settings.offered_efforts,
        instructions=settings.instructions,
        thinking=THINKING[settings.thinking],
        search=settings.search_choices,
    )


def chat_with(sources: Sources, settings: Settings, store: Store, menu: Menu | None = None) -> Chat:
    return Chat(
        sources,
        store,
        linger=settings.linger_seconds,
        keep=settings.keep_seconds,
        limits=limits_of(settings),
        menu=menu,
        files=Files(settings.file_bounds),
    )


def adjustments_of(
    settings: Settings, store: Store, chat: Chat, chat_page: ChatInterface
) -> Adjustments:
    """The settings that the owner may change at run time; budgets only if answers cost money."""
    budget, limits = chat.budget, chat.limits

    def apply(now: Settings) -> None:
        local = now.for_owner()
        limits.change(now.rate_limit, local.rate_limit)
        greet(chat_page, chat, now.look, **sharing.facts(now))
        if budget:
            budget.change(now.daily_budget_usd, now.visitor_budget_usd, local.visitor_budget_usd)

    names = (*(MONEY if budget else ()), "rate_limit", "welcome", "tagline")
    return Adjustments(settings, store, names, apply)


def limits_of(settings: Settings) -> Limits:
    local = settings.for_owner()
    return Limits(
        rate=settings.rate_limit,
        visitor_replies=settings.visitor_replies,
        max_replies=settings.max_replies,
        local_rate=local.rate_limit,
        local_replies=local.visitor_replies,
    )


def claude_of(settings: Settings, menu: Menu) -> Backend:
    # the SDK takes a second to import, and the page need not wait for it
    from streamchat.sources.claude import Claude  # noqa: PLC0415

    return Claude(settings, menu)


def warn_of_too_little(settings: Settings, prices: Prices) -> None:
    """Warns if a budget is too small for the shortest question. A budget of 0 is allowed."""
    money = {"DAILY": settings.daily_budget_usd, "VISITOR": settings.visitor_budget_usd}
    least = min(money, key=money.__getitem__)
    worst = prices.worst((Message("user", "?"),), settings.system_prompt, settings.max_tokens)
    if 0 < money[least] < worst:
        logger.warning(
            "The budget is too small for one answer: it may cost $%.2f, and"
            " STREAMCHAT_%s_BUDGET_USD is %g. Raise it above that, or lower STREAMCHAT_MAX_TOKENS,"
            " which is %d.",
            worst,
            least,
            money[least],
            settings.max_tokens,
        )
