"""What the service waits for: a line wakes it, and none that comes while it reads waits for the next look."""

from __future__ import annotations

import select
from collections.abc import Iterator
from pathlib import Path

import pytest

from agentdoctor import daemon, rules
from agentdoctor.clock import Clock
from agentdoctor.service import Service
from agentdoctor.settings import Settings
from agentdoctor.sinks.topic import parse
from agentdoctor.store import Store
from agentdoctor.tailing import Piece
from service.stand import DENIED, GOOD_POLL, Stand


@pytest.fixture
def stand(tmp_path: Path) -> Stand:
    stand = Stand(tmp_path)
    stand.log(GOOD_POLL)
    return stand


@pytest.fixture
def service(stand: Stand) -> Iterator[Service]:
    """One that has read what was there, and to which nothing was told since."""
    clock = Clock()
    settings = Settings(
        root=str(stand.folder / "root"),
        state_dir=str(stand.state_dir),
        imds_endpoint=stand.imds,
        topic=parse("arn:aws:sns:eu-west-1:123456789012:alerts"),
        sns_endpoint_url="http://127.0.0.1:9",
    )
    store = Store.open(settings.state_dir, clock=lambda: clock.read().steady)
    service = Service(settings, rules.load("/nonexistent"), store, clock)
    service.turn()
    service.turn()
    assert not is_woken(service)
    yield service
    service.close()


def is_woken(service: Service) -> bool:
    return bool(select.select(service.descriptors(), [], [], 0)[0])


def test_a_line_wakes_until_it_was_read(service: Service, stand: Stand) -> None:
    before = service.watch.follower.pieces
    stand.log(GOOD_POLL)
    assert is_woken(service)
    service.turn()

    assert not is_woken(service)
    assert service.watch.follower.pieces == before + 1


def test_a_line_that_comes_while_others_are_read_wakes_again(service: Service, stand: Stand) -> None:
    """What was told is taken before the logs are read, never after: else that line would wait for a second."""
    take = service.watch.follower.take

    def slowly(piece: Piece) -> int:
        taken = take(piece)
        stand.log(GOOD_POLL)
        return taken

    service.watch.follower.take = slowly  # type: ignore[method-assign]
    stand.log(GOOD_POLL)
    service.turn()

    assert is_woken(service)


def test_a_look_without_a_wake_up_takes_nothing(service: Service, stand: Stand) -> None:
    """So what was told meanwhile is not lost."""
    stand.log(GOOD_POLL)
    service.turn(woken=False)

    assert is_woken(service)


@pytest.mark.parametrize("woken", [True, False], ids=["by an event", "by looking"])
def test_r8_a_failure_is_in_the_outbox_after_one_turn(service: Service, stand: Stand, woken: bool) -> None:
    """So it takes no longer than the pause before that turn, and the turn; what that takes is in bench/."""
    stand.log(DENIED)
    assert not service.store.outbox.ledger.rows
    service.turn(woken)

    letters = [(row.letter.event, row.letter.rule) for row in service.store.outbox.ledger.rows.values()]
    assert letters == [("opened", "command-access-denied")]
    assert daemon.POLL_SECONDS < 1.5
    assert daemon.REST_SECONDS < 0.1
