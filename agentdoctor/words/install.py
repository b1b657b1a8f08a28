"""Words for what ``probes/install.py`` sees."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agentdoctor.words import Phrase


def _target(value: Mapping[str, Any]) -> str:
    if not value.get("exists"):
        return "the path does not exist now"
    listed = "on" if value.get("listed") else "on none of"
    return f"a {value.get('kind')} stands there, {listed} the agent's cleanup lists"


PHRASES: dict[str, Phrase] = {
    "install.target.exists": _target,
}
STATED = {
    "install.target.exists": ("something stands at the path", "nothing stands at the path"),
}
