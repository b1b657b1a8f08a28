"""The parts of the stand that many tests share."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.stand import Stand, Topic, server, started, subscribed

_names = itertools.count()


@pytest.fixture(scope="session")
def aws() -> Iterator[str]:
    """The address of a server that stands for AWS."""
    with server() as address:
        yield address


@pytest.fixture
def topic(aws: str) -> Topic:
    """A topic with a queue that gets its messages."""
    return subscribed(aws, f"alerts-{os.getpid()}-{next(_names)}")


@pytest.fixture
def stand(tmp_path: Path) -> Iterator[Stand]:
    """The service without a topic."""
    yield from started(Stand(tmp_path))


@pytest.fixture
def told(tmp_path: Path, topic: Topic) -> Iterator[Stand]:
    """The service with a topic."""
    yield from started(Stand(tmp_path, topic))
