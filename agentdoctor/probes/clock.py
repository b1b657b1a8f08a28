"""The clock of the host against that of the metadata service."""

from __future__ import annotations

from collections.abc import Callable

from agentdoctor.probes import CannotLook, Look, Values, probe
from agentdoctor.probes._metadata import META, Answer, NoAnswer, Talk

# The units of what keeps the time on Ubuntu, Debian and Amazon Linux.
SERVICES = ("chrony", "chronyd", "systemd-timesyncd", "ntpsec", "ntp", "ntpd", "openntpd")


@probe("clock.sync", source="clock")
def sync(look: Look) -> Values:
    """``{synchronised, service}``: does the kernel hold its clock for synchronised, and which service keeps it.

    timedatectl(1) shows the former, for whatever keeps the time; None where it has no answer. ``service`` is "" if
    none of SERVICES is active, None without systemd.
    """
    said = look.host.run(["timedatectl", "show", "--property=NTPSynchronized", "--value"], timeout=0.9).stdout.strip()
    done = look.host.run(["systemctl", "is-active", *SERVICES], timeout=0.9)
    states = done.stdout.split()
    active = [name for name, state in zip(SERVICES, states, strict=False) if state == "active"]
    return {
        "synchronised": {"yes": True, "no": False}.get(said),
        "service": min(active, default="") if len(states) == len(SERVICES) else None,
    }


@probe("clock.offset", source="clock")
def offset(look: Look) -> Values:
    """``{seconds, abs_seconds, error_seconds, against}``; seconds are positive when the host's clock is ahead.

    A request for a token is what is asked, because each request without one counts in the instance's
    MetadataNoToken metric. Its Date header has whole seconds, cut off, so the server's time is half a second
    more on average.
    """
    talk = Talk(look.host)
    try:
        seconds = _offset(look, talk.put_token)
    except NoAnswer as error:
        if not error.connected:
            raise CannotLook(f"the metadata service does not answer: {error}") from None
        seconds = _offset(look, lambda: _without_token(talk))
    return {"seconds": seconds, "abs_seconds": abs(seconds), "error_seconds": 1.0, "against": "metadata service"}


def _offset(look: Look, ask: Callable[[], Answer]) -> float:
    before = look.host.now()
    date = ask().date
    return round((before + look.host.now()) / 2 - (_at(date) + 0.5), 1)


def _without_token(talk: Talk) -> Answer:
    """Where answers to token requests get lost (hop limit), plain ones still come."""
    try:
        return talk.ask("GET", META)
    except NoAnswer as error:
        raise CannotLook(f"the metadata service does not answer: {error}") from None


def _at(date: str) -> float:
    """Seconds since the epoch of a Date header."""
    from email.utils import parsedate_to_datetime

    try:
        return parsedate_to_datetime(date).timestamp()
    except (TypeError, ValueError, OverflowError, IndexError):
        raise CannotLook("the metadata service's answer has no date") from None
