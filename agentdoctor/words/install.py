"""Words for what ``probes/install.py`` sees."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agentdoctor.words import Phrase, day

_OWNERS = {
    "this group": "this deployment group itself installed it, as its last instructions say",
    "nobody": "no deployment group here has installed it",
}


def _exists(value: Mapping[str, Any]) -> str:
    if not value.get("exists"):
        return "the path does not exist now"
    return f"a {value.get('kind')} stands there, last changed {day(value.get('since'))}"


def _owner(value: Mapping[str, Any]) -> str:
    whose = value.get("owner")
    said = [_OWNERS.get(str(whose), f"deployment group {value.get('group')} installed it")] if whose else []
    gone, total = value.get("gone"), value.get("listed_total")
    if gone and total:
        said.append(f"{gone} of the {total} paths of this group's last Install are gone already")
    return "; ".join(said)


PHRASES: dict[str, Phrase] = {
    "install.owner": _owner,
    "install.owner.exists": _exists,
}
STATED = {
    "install.owner.exists": ("something stands at the path", "nothing stands at the path"),
}
