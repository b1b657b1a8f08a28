"""Words for what ``probes/source.py`` sees."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agentdoctor.words import Phrase


def _file(value: Mapping[str, Any]) -> str:
    if value.get("exists"):
        return "the source is in the revision"
    near = value.get("near")
    return f"the revision does not hold the source, but {near}" if near else "the revision does not hold the source"


def _names(value: Mapping[str, Any]) -> str:
    if not value.get("bad"):
        return f"all {value.get('entries')} names in the revision are UTF-8"
    return f"{value['bad']} of {value.get('entries')} names in the revision are not UTF-8, as {value.get('example')}"


PHRASES: dict[str, Phrase] = {
    "source.file.exists": _file,
    "source.names.bad": _names,
}
STATED = {
    "source.file.exists": ("the revision holds the source", "the revision does not hold the source"),
}
NAMED = {
    "source.names.bad": "the number of names in the revision that are not UTF-8",
}
