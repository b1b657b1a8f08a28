"""Words for what ``probes/bundle.py`` sees."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agentdoctor.words import Phrase, size


def _bundle(value: Mapping[str, Any]) -> str:
    if not value.get("present"):
        return "the downloaded bundle is gone"
    known = value.get("whole")
    whole = "" if known is None else ", whole" if known else ", not whole"
    return f"bundle.tar is of kind {value.get('kind')}{whole} ({size(value['size'])})"


PHRASES: dict[str, Phrase] = {
    "bundle.file.fits": _bundle,
    "bundle.file.whole": _bundle,
}
STATED = {
    "bundle.file.fits": (
        "the bundle is of the type that was to be unpacked",
        "the bundle is of another type than the one that was to be unpacked",
    ),
    "bundle.file.whole": ("the downloaded bundle is whole", "the downloaded bundle is not whole"),
}
