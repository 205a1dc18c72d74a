from collections.abc import Iterator

import pytest

from tests.scripted_claude import ScriptedClaude


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def claude() -> Iterator[ScriptedClaude]:
    with ScriptedClaude() as scripted:
        yield scripted
