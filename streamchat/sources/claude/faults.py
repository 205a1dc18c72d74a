"""Translates each error of the SDK, its transport or its decoding into our own tree."""

import email.utils
import json
import math
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import aiohttp
import anthropic
import httpx2

from streamchat import errors
from streamchat.errors import ClaudeError
from streamchat.sources.claude.complaints import (
    complaint,
    refused_parameters,
    says_bad_file,
    says_no_credit,
    says_too_long,
)
from streamchat.sources.claude.eventstream import EventTooLong

DAY = 86_400.0  # seconds
BY_STATUS: dict[int, type[ClaudeError]] = {
    400: errors.RequestRejected,
    401: errors.KeyRejected,
    402: errors.NoCredit,
    403: errors.NotPermitted,
    404: errors.UnknownModel,
    408: errors.Silent,
    409: errors.ClaudeFault,
    412: errors.RequestRejected,
    413: errors.ConversationTooLarge,
    422: errors.RequestRejected,
    429: errors.RateLimited,
    431: errors.RequestRejected,
    499: errors.BrokenOff,
    501: errors.RequestRejected,
    503: errors.Busy,
    504: errors.Silent,
    529: errors.Busy,
}
BY_TYPE: dict[str | None, type[ClaudeError]] = {
    "invalid_request_error": errors.RequestRejected,
    "authentication_error": errors.KeyRejected,
    "billing_error": errors.NoCredit,
    "permission_error": errors.NotPermitted,
    "not_found_error": errors.UnknownModel,
    "request_too_large": errors.ConversationTooLarge,
    "rate_limit_error": errors.RateLimited,
    "timeout_error": errors.Silent,
    "conflict_error": errors.ClaudeFault,
    "api_error": errors.ClaudeFault,
    "overloaded_error": errors.Busy,
}
BY_CLASS: tuple[tuple[tuple[type[Exception], ...], type[ClaudeError]], ...] = (
    ((anthropic.CredentialsError,), errors.KeyRejected),
    ((anthropic.APIResponseValidationError,), errors.Unreadable),
    ((json.JSONDecodeError, UnicodeDecodeError, RecursionError, EventTooLong), errors.Unreadable),
    ((anthropic.AnthropicError,), errors.ClaudeFault),
    ((httpx2.ReadTimeout,), errors.Silent),
    ((httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout), errors.Unreachable),
    (
        (httpx2.HTTPError, httpx2.StreamError, httpx2.InvalidURL, httpx2.CookieConflict),
        errors.BrokenOff,
    ),
)
NO_CREDIT_CODES = ("spend_limit_reached", "billing_unavailable")
SHOULD_RETRY = {"true": True, "false": False}
MAY_BE_CREDIT = (errors.RequestRejected, errors.NotPermitted, errors.RateLimited)


# statuses after which Claude may have worked on the request all the same
REACHED_CLAUDE = (408, 499, 504)
NOT_SENT = (
    aiohttp.ClientConnectorError,
    aiohttp.ClientHttpProxyError,
    aiohttp.ConnectionTimeoutError,
)


@contextmanager
def translated() -> Iterator[None]:
    try:
        yield
    except ClaudeError:
        raise
    except Exception as error:
        translation = translate(error)
        if translation is None:
            raise
        raise translation from error


def translate(error: Exception) -> ClaudeError | None:
    """Our error for `error`; None if it comes neither from Claude nor from the way to it."""
    match error:
        case anthropic.APIStatusError():
            return _from_status(error)
        case anthropic.APIConnectionError():
            return (
                errors.Silent()
                if isinstance(error.__cause__, httpx2.ReadTimeout)
                else errors.Unreachable()
            )
    return next((kind() for classes, kind in BY_CLASS if isinstance(error, classes)), None)


def of_own_key(error: ClaudeError) -> ClaudeError:
    """The error in words for a visitor who brought the key."""
    match error:
        case errors.KeyRejected():
            own: ClaudeError = errors.OwnKeyRejected(request_id=error.request_id)
        case errors.NoCredit():
            own = errors.OwnNoCredit(request_id=error.request_id)
        case errors.NotPermitted() | errors.UnknownModel():
            own = errors.OwnNotPermitted(request_id=error.request_id)
        case _:
            return error
    own.retryable, own.retry_after = error.retryable, error.retry_after
    return own


def is_free(error: BaseException) -> bool:
    """Whether Claude charges nothing for a call that failed so: it was refused, or never
    connected."""
    match error:
        case anthropic.APIStatusError():
            refused = 400 <= error.status_code < 500 or error.type in BY_TYPE.keys() - {
                None,
                "timeout_error",
            }
            return error.status_code >= 400 and refused and error.status_code not in REACHED_CLAUDE
        case anthropic.APIConnectionError():
            return error.__cause__ is not None and isinstance(error.__cause__.__cause__, NOT_SENT)
    return False


def _from_status(error: anthropic.APIStatusError) -> ClaudeError:
    in_stream = error.status_code == 200  # an `error` event
    explained = complaint(error.body)
    translation = _kind(error, explained)(
        retry_after=_retry_after(error.response.headers), request_id=_request_id(error)
    )
    should_retry = SHOULD_RETRY.get(error.response.headers.get("x-should-retry", ""))
    if should_retry is not None and not in_stream:
        translation.retryable = should_retry
    if isinstance(translation, errors.RequestRejected) and not in_stream:
        translation.parameters = refused_parameters(explained)
    return translation


def _kind(error: anthropic.APIStatusError, explained: str) -> type[ClaudeError]:
    status = error.status_code
    if status == 200:
        kind = BY_TYPE.get(error.type, errors.ClaudeFault)
    else:
        kind = BY_STATUS.get(
            status, errors.ClaudeFault if status >= 500 else errors.RequestRejected
        )
    if (error.error_code or "").endswith(NO_CREDIT_CODES):
        return errors.NoCredit
    if kind in MAY_BE_CREDIT and says_no_credit(explained, of_a_rate=kind is errors.RateLimited):
        return errors.NoCredit
    if kind is errors.RequestRejected and says_bad_file(explained):
        return errors.AttachmentRejected
    if kind is errors.RequestRejected and says_too_long(explained):
        return errors.ConversationTooLarge
    if status in (404, 405) and error.type is None:
        return errors.WrongAddress
    return kind


def _request_id(error: anthropic.APIStatusError) -> str | None:
    if error.request_id is None and isinstance(error.body, dict):
        return error.body.get("request_id")
    return error.request_id


def _retry_after(headers: httpx2.Headers) -> float | None:
    """The pause in seconds, a day at most."""
    seconds = _number(headers.get("retry-after-ms", "")) / 1000
    if not math.isfinite(seconds):
        value = headers.get("retry-after", "")
        seconds = _number(value)
        with suppress(ValueError, OverflowError):
            seconds = email.utils.parsedate_to_datetime(value).timestamp() - time.time()
    return min(max(0.0, seconds), DAY) if math.isfinite(seconds) else None


def _number(text: str) -> float:
    with suppress(ValueError):
        return float(text)
    return math.nan
