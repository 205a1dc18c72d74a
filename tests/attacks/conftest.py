from collections.abc import Iterator

import pytest

from streamchat.server import Running
from tests.reader import Reader


@pytest.fixture
def thief(here: Running) -> Iterator[Reader]:
    """A browser of another visitor at the same address. The module has a fixture `here` with the
    running chat."""
    with Reader(here.url) as reader:
        yield reader
