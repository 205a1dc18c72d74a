from collections.abc import Iterator

import pytest

from streamchat.server import Running
from tests.reader import Reader


@pytest.fixture
def thief(here: Running) -> Iterator[Reader]:
    """Another browser at the same address. A module with this fixture has one called `here`."""
    with Reader(here.url) as reader:
        yield reader
