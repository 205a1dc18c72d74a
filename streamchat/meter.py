"""The usage of one call to Claude: Claude's own count, and an upper bound for what Claude has not
counted."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, fields, replace

# bytes; no text has longer tokens on average, so that a lower count of it was not finished
TOKEN = 30
# tokens that a message, a block or a citation takes at most beside its text
MARKS = 16
# Bytes of encrypted results that a token takes at least. Recorded searches have 2.7 to 3.6, and
# 4,800 to 14,000 tokens each.
RESULT_TOKEN = 2
# tokens of the results of one search, for which money is reserved
RESULT_TOKENS = 10_000
# Tokens per second, above the fastest that each line of models writes. Sonnet and Opus are measured
# at 45 to 90, Haiku at up to 250; two to three times that leaves room for a fast day and for the
# fast mode.
FASTEST = {"haiku": 600.0, "sonnet": 300.0, "opus": 300.0}
FASTEST_OF_ALL = 600.0


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens and web searches used so far; a later Usage replaces an earlier one."""

    input_tokens: int = 0
    output_tokens: int = 0
    cache_write_tokens: int = 0
    cache_read_tokens: int = 0
    web_searches: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            *(getattr(self, each.name) + getattr(other, each.name) for each in fields(self))
        )

    def __sub__(self, other: "Usage") -> "Usage":
        return Usage(
            *(getattr(self, each.name) - getattr(other, each.name) for each in fields(self))
        )


NOTHING = Usage()


def length(text: str) -> int:
    """The length in bytes of a text that may not be valid Unicode."""
    return len(text.encode(errors="surrogatepass"))


def input_tokens(usage: Usage) -> int:
    return usage.input_tokens + usage.cache_write_tokens + usage.cache_read_tokens


def fastest(model: str) -> float:
    """Tokens per second that the model never exceeds."""
    return next((speed for line, speed in FASTEST.items() if line in model.lower()), FASTEST_OF_ALL)


def elapsed() -> float:
    """Seconds since a fixed moment. Includes the time in which the machine is suspended, because
    Claude goes on meanwhile."""
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()


class Meter:
    """The usage of one call, never less than Claude's bill. Make it before the request is sent.

    `worst` is the amount reserved for the call, which may have so many `searches`. The assumed
    usage exceeds it only if their results do: then it `is_over`. `speed` is in tokens per second,
    and `clock` in seconds. The time runs from the start of the call until
    `close`. Claude writes for no longer: the request reaches it as late as the end of the
    connection does.
    """

    def __init__(
        self,
        worst: Usage,
        *,
        searches: int = 0,
        speed: float = FASTEST_OF_ALL,
        clock: Callable[[], float] = elapsed,
    ) -> None:
        self.worst = worst
        self.searches = searches
        self._speed = speed
        self._clock = clock
        self._began = clock()
        self._stopped_at: float | None = None
        self._counted = NOTHING
        self._counts_output = False
        self._ended = False
        self._seen = 0
        self._marks = MARKS
        self._thinks = False
        # searches, their results, and those results that are failures, which are free
        self._searched = self._found = self._failed = 0
        # whether Claude's count includes all of them
        self._counts_searches = True
        # tokens of results, and of what Claude has read again because of them
        self._results = self._read = 0
        self._free = False

    def count(self, usage: Usage, *, output: bool = False, searches: bool = False) -> None:
        """Notes Claude's count so far, and whether it includes the `output`, and the `searches` and
        what was read because of them."""
        self._counted = usage
        self._counts_searches = self._counts_searches or searches
        self._counts_output = self._counts_output or output

    def see(self, size: int) -> None:
        """Notes that many bytes of output, as at most one token each. Does nothing after the
        end."""
        if not self._ended:
            self._seen += size

    def mark(self) -> None:
        """Notes the start of a block, or a citation: a few tokens that are not sent."""
        self._marks += MARKS

    def think(self) -> None:
        """Notes that Claude generates tokens that it does not send, or sends only as a summary."""
        self._thinks = True

    def search(self) -> None:
        """Notes that Claude uses a tool of its own, whose results count as further input."""
        self._searched += 1
        self._counts_searches = False

    def find(self, tokens: int, *, failed: bool = False) -> None:
        """Notes results of at most so many tokens: Claude reads them, and all before once more.
        They may be of a search that began in the call before."""
        self._found += 1
        self._failed += failed
        self._searched = max(self._searched, self._found)
        self._counts_searches = False
        self._results += tokens
        # all that Claude wrote before has arrived, but for hidden thoughts
        written = self._written() if self._thinks else self._seen + self._marks
        self._read += self._again(written)

    def end(self) -> None:
        """Notes Claude's stop reason: its count until then is final."""
        self._ended = True

    def waive(self) -> None:
        """Notes that Claude charges nothing for this call."""
        self._free = True

    def close(self) -> None:
        """Notes that the connection is closed. Idempotent."""
        if self._stopped_at is None:
            self._stopped_at = self._clock()

    @property
    def counted(self) -> Usage:
        return self._counted

    @property
    def is_over(self) -> bool:
        """Whether Claude has searched more, or read more results, than was reserved for."""
        is_beyond = input_tokens(self._input()) > input_tokens(self.worst)
        return self._found > 0 and (is_beyond or self._succeeded > self.worst.web_searches)

    def needed(self) -> Usage:
        """The upper bound of the call as it is now."""
        output = self.worst.output_tokens
        searches = max(self.worst.web_searches, self._succeeded)
        return replace(self._input(), output_tokens=output, web_searches=searches)

    def used(self) -> Usage:
        """The upper bound of what Claude can charge."""
        if self._free:
            return NOTHING
        return replace(self._input(), output_tokens=self._output())

    def _input(self) -> Usage:
        counted = replace(self._counted, output_tokens=0)
        if counted == NOTHING:
            return self.worst
        if not self._searched or (self._is_final() and self._counts_searches):
            return counted
        pending = self._searched - self._found
        more = self._read + (pending > 0) * (self._again(self._written()) + pending * RESULT_TOKENS)
        searches = max(counted.web_searches, self._succeeded + pending)
        # at the price that is reserved
        if self.worst.cache_write_tokens:
            more += counted.cache_write_tokens
            return replace(counted, cache_write_tokens=more, web_searches=searches)
        more += counted.input_tokens
        return replace(counted, input_tokens=more, web_searches=searches)

    @property
    def _succeeded(self) -> int:
        return self._found - self._failed

    def _again(self, written: int) -> int:
        """The most tokens that Claude reads when it goes on after a search."""
        written = min(self.worst.output_tokens, written)
        return input_tokens(self._counted) + self._results + written

    def _output(self) -> int:
        counted = self._counted.output_tokens
        if self._is_final():
            return counted
        if self._thinks:
            return max(counted, self.worst.output_tokens)
        return max(counted, min(self.worst.output_tokens, self._written()))

    def _written(self) -> int:
        """The most tokens that Claude can have written until now."""
        seconds = (self._clock() if self._stopped_at is None else self._stopped_at) - self._began
        return max(self._seen + self._marks, math.ceil(seconds * self._speed))

    def _is_final(self) -> bool:
        return (
            self._ended
            and self._counts_output
            and self._seen <= self._counted.output_tokens * TOKEN
        )
