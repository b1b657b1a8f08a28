"""Words for what ``probes/config.py`` sees."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agentdoctor.words import Phrase


def _config(value: Mapping[str, Any]) -> str:
    return f"{value.get('path')}: {value.get('problem') or 'the agent takes it'}"


PHRASES: dict[str, Phrase] = {
    "config.agent.valid": _config,
}
STATED = {
    "config.agent.valid": ("the agent takes its configuration file", "the agent refuses its configuration file"),
}
