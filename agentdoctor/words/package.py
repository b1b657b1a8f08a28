"""Words for what ``probes/package.py`` sees."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agentdoctor.words import Phrase


def _package(value: Mapping[str, Any]) -> str:
    return (
        f"agent {value.get('version') or 'of unknown version'} installed"
        if value.get("installed")
        else ("no agent package and no /opt/codedeploy-agent/bin")
    )


def _status(value: Mapping[str, Any]) -> str:
    return f"dpkg's status of the package is {value.get('status') or 'unknown'}"


def _generation(value: Mapping[str, Any]) -> str:
    return f"the agent here is of generation {value.get('generation') or 'unknown'}"


PHRASES: dict[str, Phrase] = {
    "package.agent.generation": _generation,
    "package.agent.status": _status,
    "package.agent.installed": _package,
}
STATED = {
    "package.agent.installed": ("the agent is installed", "the agent is not installed"),
    "package.agent.file_version": ("the agent's version file names a version", "the agent's version file is not there"),
}
NAMED = {
    "package.agent.generation": "the agent's generation",
    "package.agent.status": "dpkg's status of the agent's package",
}
