"""What a rule wants a probe to have said, in words and in the rule's own terms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agentdoctor.words import named, size, stated

_RELATIONS = {"min": "is at least", "max": "is at most", "not": "is not"}


def say(name: str, wanted: Any) -> str:
    """What must hold, e.g. ``no agent process runs``; ``name`` is ``probe.field``, ``wanted`` as the rule has it."""
    both = stated(name)
    if both and (wanted is True or wanted in ({"not": ""}, {"not": []})):
        return both[0]
    if both and (wanted is False or wanted in ("", [])):
        return both[1]
    return f"{named(name)} {_relation(wanted, name.endswith('_bytes'))}"


def terms(name: str, wanted: Any) -> str:
    """The same in the rule's own terms, e.g. ``process.agent: running is False``."""
    probe, _, field = name.rpartition(".")
    return f"{probe}: {field} {_relation(wanted, False)}"


def _relation(wanted: Any, in_bytes: bool) -> str:
    if isinstance(wanted, Mapping):
        return " and ".join(f"{_RELATIONS[key]} {_value(value, in_bytes)}" for key, value in wanted.items())
    values = wanted if isinstance(wanted, list) else [wanted]
    return "is " + " or ".join(_value(value, in_bytes) for value in values)


def _value(value: Any, in_bytes: bool) -> str:
    return size(value) if in_bytes and isinstance(value, int) else repr(value)
