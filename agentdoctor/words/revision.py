"""Words for what ``probes/revision.py`` sees."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agentdoctor.words import Phrase


def _appspec(value: Mapping[str, Any]) -> str:
    if not value.get("present"):
        return "the unpacked revision is gone"
    if value.get("exact"):
        link = f", a link to {value['link']}" if value.get("link") else ""
        return f"appspec.yml is at the root of the revision{link}"
    if value.get("link"):
        return f"appspec.yml is a link to {value['link']}, where no file is"
    if value.get("near"):
        return f"the revision holds {value['near']} instead"
    if value.get("nested"):
        return f"the revision holds {value['nested']}, below its root"
    return f"none of the {value.get('entries')} entries of the revision is an AppSpec"


PHRASES: dict[str, Phrase] = {
    "revision.appspec.present": _appspec,
    "revision.appspec.exact": _appspec,
    "revision.appspec.near": _appspec,
    "revision.appspec.nested": _appspec,
}
STATED = {
    "revision.appspec.exact": (
        "appspec.yml is at the root of the revision",
        "no appspec.yml is at the root of the revision",
    ),
    "revision.appspec.near": (
        "a file at the root of the revision has nearly the right name",
        "no file at the root of the revision has nearly the right name",
    ),
    "revision.appspec.nested": (
        "an AppSpec lies below the root of the revision",
        "no AppSpec lies below the root of the revision",
    ),
    "revision.appspec.present": ("the unpacked revision is there", "the unpacked revision is gone"),
}
