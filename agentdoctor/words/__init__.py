"""Words for values: what a probe saw, and what a rule wants it to have seen. Pure text, no judgement.

``words/<subject>.py`` speaks for ``probes/<subject>.py``, in three tables by ``probe.field``: PHRASES makes a phrase of
all that the probe saw, STATED has both sentences for what is so or not so, NAMED the name of what has a value. A phrase
under the bare name of a probe is for rules that show it as ``context``.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from typing import Any

Phrase = Callable[[Mapping[str, Any]], str]


def say(probe: str, field: str, actual: Any, value: Mapping[str, Any]) -> str:
    """What a probe saw, e.g. ``iam/info answers 404``; ``value`` is all of it."""
    if actual is None:
        return f"{probe} does not say {field}"
    phrase = _table(probe, "PHRASES").get(f"{probe}.{field}")
    return (_phrased(phrase, value) if phrase else "") or f"{probe} says {field} = {actual}"


def tell(probe: str, value: Mapping[str, Any]) -> str:
    """All that a probe saw in one phrase; "" where it has nothing to say."""
    return _phrased(_table(probe, "PHRASES")[probe], value)


def _phrased(phrase: Phrase, value: Mapping[str, Any]) -> str:
    """The phrase; "" for evidence that lacks what it speaks of, as a snapshot of another version may."""
    try:
        return phrase(value)
    except (KeyError, TypeError, ValueError, ArithmeticError):
        return ""


def stated(name: str) -> tuple[str, str] | None:
    """Of ``probe.field``: the sentences for what is so, and for what is not."""
    return _table(name, "STATED").get(name)


def named(name: str) -> str:
    """Of ``probe.field``: what the value is called."""
    return _table(name, "NAMED").get(name) or name.rpartition(".")[2]


def known() -> frozenset[str]:
    """``probe.field`` of everything that has words of its own for what is wanted."""
    subjects = [info.name for info in pkgutil.iter_modules(__path__)]
    return frozenset(name for subject in subjects for table in ("STATED", "NAMED") for name in _table(subject, table))


def _table(name: str, table: str) -> dict[str, Any]:
    """One of the tables of a subject, which is imported only now; empty where there is none."""
    try:
        words = importlib.import_module(f"{__name__}.{name.partition('.')[0]}")
    except ModuleNotFoundError:
        return {}
    return getattr(words, table, {})


def size(count: float) -> str:
    """A number of bytes for people: 0 bytes, 14.2 GB."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "bytes" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def span(seconds: float) -> str:
    """A time for people: 1 second, 5 minutes, 3 hours, 2 days."""
    for unit, length in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length:.0f} {unit}s"
    return "1 second" if round(seconds) == 1 else f"{seconds:.0f} seconds"


def day(at: float | None) -> str:
    """Seconds since the epoch for people: 2026-11-22 21:00 UTC."""
    if at is None:
        return "at an unknown time"
    return datetime.fromtimestamp(at, timezone.utc).strftime("%Y-%m-%d %H:%M UTC")
