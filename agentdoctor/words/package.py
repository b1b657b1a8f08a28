"""Words for what ``probes/package.py`` sees."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agentdoctor.words import Phrase


def _package(value: Mapping[str, Any]) -> str:
    return (
        f"agent {value.get('version') or value.get('file_version') or 'of unknown version'} is installed"
        if value.get("installed")
        else ("no agent package and no /opt/codedeploy-agent/bin")
    )


def _support(value: Mapping[str, Any]) -> str:
    system = f"{value.get('os_id') or 'a system without os-release'} {value.get('os_version') or ''}".strip()
    return f"agent {value.get('version')} on {system}: {value.get('reason') or 'AWS supports this'}"


def _status(value: Mapping[str, Any]) -> str:
    return f"dpkg's status of the package is {value.get('status') or 'unknown'}"


def _generation(value: Mapping[str, Any]) -> str:
    return f"the agent here is of generation {value.get('generation') or 'unknown'}"


PHRASES: dict[str, Phrase] = {
    "package.support.supported": _support,
    "package.agent.generation": _generation,
    "package.agent.status": _status,
    "package.agent.installed": _package,
}
STATED = {
    "package.agent.installed": ("the agent is installed", "the agent is not installed"),
    "package.agent.file_version": ("the agent's version file names a version", "the agent's version file is not there"),
    "package.support.supported": (
        "AWS supports this agent on this system",
        "AWS does not support this agent on this system",
    ),
}
NAMED = {
    "package.version.generation": "the generation of the agent, by its version file,",
    "package.agent.generation": "the agent's generation",
    "package.agent.status": "dpkg's status of the agent's package",
}
