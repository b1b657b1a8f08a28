"""The clock probe against a server whose Date a test sets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from agentdoctor.host import Host
from agentdoctor.model import Outcome
from agentdoctor.words import tell

from .conftest import Command, ask, cases, value
from .imds_server import HANG, Imds

Serve = Callable[..., Host]
NOW = 1_800_000_000.0

OFFSETS = [
    ("in step", {"date": NOW}, NOW + 0.5, 0.0),
    ("host ahead", {"date": NOW}, NOW + 600.5, 600.0),
    ("host behind", {"date": NOW}, NOW - 599.5, -600.0),
    ("years behind", {"date": NOW}, NOW - 86400 * 3650 + 0.5, -86400.0 * 3650),
    ("the Date of a refusal counts", {"date": NOW, "token_status": 403}, NOW + 60.5, 60.0),
    ("the Date of a server error counts", {"date": NOW, "token_status": 500}, NOW + 60.5, 60.0),
    ("token requests get lost, others do not", {"date": NOW, "token_status": HANG}, NOW + 60.5, 60.0),
]


@cases(OFFSETS)
def test_offset(serve: Callable[..., Host], behaviour: dict[str, Any], now: float, expected: float) -> None:
    seen = value("clock.offset", serve(Imds(**behaviour), taken_at=now))
    assert seen == {
        "seconds": expected,
        "abs_seconds": abs(expected),
        "error_seconds": 1.0,
        "against": "metadata service",
    }


def test_no_date(serve: Serve) -> None:
    seen = ask("clock.offset", serve(Imds(no_date=True)))
    assert (seen.value, seen.outcome) == (None, Outcome.UNKNOWN)
    assert "no date" in seen.reason


@pytest.mark.parametrize("date", ["", "yesterday", "Sun, 99 Nov 2026 20:00:00 GMT", "22 Nov", "0"])
def test_a_date_that_is_none(date: str) -> None:
    from agentdoctor.probes import CannotLook
    from agentdoctor.probes.clock import _at

    with pytest.raises(CannotLook):
        _at(date)


def test_no_answer(serve: Serve) -> None:
    seen = ask("clock.offset", serve(Imds(token_status=HANG, v1=HANG)))
    assert (seen.value, seen.outcome) == (None, Outcome.UNKNOWN)


def test_a_token_request_is_enough(serve: Serve) -> None:
    imds = Imds()
    value("clock.offset", serve(imds))
    assert imds.requests == ["PUT /latest/api/token"]


ACTIVE = "inactive\ninactive\nactive\ninactive\ninactive\ninactive\ninactive"
STOPPED = "\n".join(["inactive"] * 7)
SYNCS = [
    ("kept", "yes", ACTIVE, {"synchronised": True, "service": "systemd-timesyncd"}),
    ("not yet", "no", ACTIVE, {"synchronised": False, "service": "systemd-timesyncd"}),
    ("by nobody", "no", STOPPED, {"synchronised": False, "service": ""}),
    ("no answer", "", "", {"synchronised": None, "service": None}),
]


@cases(SYNCS)
def test_sync(command: Command, said: str, states: str, expected: dict[str, Any]) -> None:
    command("timedatectl", f"echo '{said}'")
    command("systemctl", f"printf '%s\\n' '{states}'; exit 3")
    assert value("clock.sync", Host()) == expected


def test_sync_without_systemd(no_commands: None) -> None:
    assert ask("clock.sync", Host()).outcome is Outcome.UNKNOWN


def test_words_of_sync() -> None:
    assert tell("clock.sync", {"synchronised": False, "service": ""}) == (
        "the clock is not synchronised, no time service runs"
    )
    assert tell("clock.sync", {"synchronised": None, "service": "chrony"}) == "chrony keeps the time"
