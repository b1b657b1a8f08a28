"""Words for what ``probes/ongoing.py`` sees."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agentdoctor.words import Phrase


def _deployments(value: Mapping[str, Any]) -> str:
    ids = value.get("deployment_ids")
    if not ids:
        return "no deployment is held for running"
    age = value.get("youngest_age")
    since = "" if age is None else f", the youngest mark is {age // 60} min old"
    return f"held for running: {', '.join(ids)}{since}"


PHRASES: dict[str, Phrase] = {
    "ongoing.deployments": _deployments,
    "ongoing.deployments.young": _deployments,
}
NAMED = {
    "ongoing.deployments.young": "the number of deployments that were marked as running in the last 24 hours",
}
