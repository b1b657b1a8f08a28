"""The clock probe against a server whose Date a test sets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from agentdoctor.host import Host
from agentdoctor.model import Outcome

from .conftest import ask, cases, value
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
