"""A sender with the real child, and the topics that it speaks to."""

from __future__ import annotations

import os
import select
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from agentdoctor.sinks.message import compose
from agentdoctor.sinks.sending import Reply, Sender
from sinks import NOW, letter
from sinks.fake_sns import FakeSns, fake_sns

CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": "/nonexistent",
    "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
    "NO_PROXY": "127.0.0.1",
}
# The child as it is, but for how long it waits; with AGENTDOCTOR_LONG as it is.
IMPATIENT = "from agentdoctor.sinks import sns; sns.CONNECT_SECONDS, sns.READ_SECONDS = 0.2, 0.2; sns.main()"
CHILD = ("-m", "agentdoctor.sinks.sns") if os.environ.get("AGENTDOCTOR_LONG") else ("-c", IMPATIENT)

Publish = Callable[..., Reply]


@pytest.fixture(scope="module")
def fake() -> Iterator[FakeSns]:
    """The SNS that misbehaves."""
    with fake_sns() as server:
        yield server


@pytest.fixture(scope="module")
def sender() -> Iterator[Sender]:
    """One child for all tests of a file: to start it costs more than all that they ask."""
    yield from _sender(CHILD)


@pytest.fixture(scope="module")
def patient() -> Iterator[Sender]:
    """One that waits as long as it does for people: a server on a busy machine may be slow without a fault."""
    yield from _sender(("-m", "agentdoctor.sinks.sns"))


def _sender(child: tuple[str, ...]) -> Iterator[Sender]:
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith("AWS_") or name.lower().endswith("_proxy"):
                patch.delenv(name)
        for name, value in CREDENTIALS.items():
            patch.setenv(name, value)
        sender = Sender((sys.executable, *child))
        yield sender
        sender.close(0.0)


def wait(sender: Sender, count: int = 1, seconds: float = 60.0) -> list[Reply]:
    """So many answers. It fails when they do not come: a minute is no measure, only an end."""
    found: list[Reply] = []
    end = time.monotonic() + seconds
    while len(found) < count:
        assert time.monotonic() < end, f"{count - len(found)} answers are missing"
        found += sender.answers()
        if len(found) < count and sender.fileno() >= 0:
            ready = select.poll()
            ready.register(sender.fileno(), select.POLLIN)
            ready.poll(100)
    return found


@pytest.fixture
def publish(sender: Sender) -> Publish:
    """Publish a letter to a topic, through the child."""
    return _publish(sender)


@pytest.fixture
def publish_patiently(patient: Sender) -> Publish:
    """The same, and no try is given up early, so nothing comes twice."""
    return _publish(patient)


def _publish(sender: Sender) -> Publish:
    def run(url: str, name: str, key: str = "k-1", **changes: Any) -> Reply:
        params = compose(letter(key=key, **changes), NOW, name.endswith(".fifo"))
        arn = f"arn:aws:sns:eu-west-1:123456789012:{name}"
        sender.submit({"key": key, "topic_arn": arn, "endpoint_url": url, "params": params})
        (answer,) = wait(sender)
        return answer

    return run
