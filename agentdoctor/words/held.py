"""Words for what ``probes/held.py`` sees."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agentdoctor.words import Phrase


def _cwd(value: Mapping[str, Any]) -> str:
    return f"the agent stands in {value.get('cwd')}, which {_fate(value.get('cwd_deleted'))}"


def _log(value: Mapping[str, Any]) -> str:
    if not value.get("log"):
        return "the agent has no log open"
    return f"the agent has {value['log']} open, which {_fate(value.get('log_deleted'))}"


def _fate(deleted: bool | None) -> str:
    return "was deleted" if deleted else "is there"


PHRASES: dict[str, Phrase] = {
    "held.deleted.cwd_deleted": _cwd,
    "held.deleted.log_deleted": _log,
}
STATED = {
    "held.deleted.cwd_deleted": (
        "the directory that the agent stands in was deleted",
        "the directory that the agent stands in is there",
    ),
    "held.deleted.log_deleted": (
        "the log that the agent has open was deleted",
        "the log that the agent has open is there",
    ),
}
