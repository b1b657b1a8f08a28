"""Words for what ``probes/config.py`` sees."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agentdoctor.words import Phrase, size, span


def _config(value: Mapping[str, Any]) -> str:
    return f"{value.get('path')}: {value.get('problem') or 'the agent takes it'}"


def _age(value: Mapping[str, Any]) -> str:
    seconds = value["changed_at"] - value["started_at"]
    return (
        f"{value.get('path')} was changed {span(abs(seconds))} {'after' if seconds > 0 else 'before'} the agent's start"
    )


def _wire(value: Mapping[str, Any]) -> str:
    setting = {True: "on", False: "off", None: "not known"}[value.get("enabled")]
    file = f"{value.get('path')} " + (f"holds {size(value['size'])}" if value.get("exists") else "does not exist")
    open_to = ", readable by everybody" if value.get("readable_by_others") else ""
    return f"log_aws_wire is {setting}; {file}{open_to}"


PHRASES: dict[str, Phrase] = {
    "config.agent.valid": _config,
    "config.age.newer_than_process": _age,
    "config.age.path": _age,
    "config.wire_log.enabled": _wire,
    "config.wire_log.path": _wire,
    "config.wire_log.size": _wire,
}
STATED = {
    "config.agent.valid": ("the agent takes its configuration file", "the agent refuses its configuration file"),
    "config.age.newer_than_process": (
        "the configuration file was changed after the agent had read it",
        "the agent has read the configuration file as it is",
    ),
    "config.age.path": ("there is a configuration file", "there is no configuration file"),
    "config.wire_log.enabled": ("log_aws_wire is on", "log_aws_wire is off"),
    "config.wire_log.path": ("the wire log has a place", "the wire log has no place"),
}
NAMED = {
    "config.wire_log.size": "the size of the wire log, in bytes,",
}
