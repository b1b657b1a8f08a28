"""Words for what ``probes/stop.py`` sees."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agentdoctor.words import Phrase


def _archive(value: Mapping[str, Any]) -> str:
    group = value.get("group_id")
    if not group:
        return "the revision that the next ApplicationStop runs is there"
    place = value.get("archive")
    return f"no AppSpec is left in {place}" if group in value.get("appspec_missing", ()) else f"{place} is gone"


def _group(value: Mapping[str, Any]) -> str:
    group = value.get("group_id")
    return f"deployment group {group} runs its next ApplicationStop from there" if group else _archive(value)


def _script(value: Mapping[str, Any]) -> str:
    scripts = value.get("scripts_missing")
    if not scripts:
        return "the scripts of the next ApplicationStop are there"
    return f"the next ApplicationStop runs {', '.join(scripts)}, and the last successful revision does not hold that"


PHRASES: dict[str, Phrase] = {
    "stop.next.archive": _archive,
    "stop.next.group_id": _group,
    "stop.next.script": _script,
}
STATED = {
    "stop.next.archive": (
        "the revision that the next ApplicationStop runs is gone, or its AppSpec",
        "the revision that the next ApplicationStop runs is there",
    ),
    "stop.next.group_id": ("a deployment group would run it", "no deployment group would miss it"),
    "stop.next.script": (
        "a script of the next ApplicationStop is not in the last successful revision",
        "the scripts of the next ApplicationStop are in the last successful revision",
    ),
}
