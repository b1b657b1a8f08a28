"""Words for what ``probes/identity.py`` sees."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agentdoctor.words import Phrase


def _attachment(value: Mapping[str, Any]) -> str:
    order = "after" if value.get("role_after_worker") else "before"
    return f"the role was attached {order} the agent's worker started"


def _keys(value: Mapping[str, Any]) -> str:
    files = value.get("files") or []
    return f"static keys in {', '.join(files)}" if files else "no static keys in /root/.aws"


def _onpremises(value: Mapping[str, Any]) -> str:
    return f"{value.get('path')} {'exists' if value.get('present') else 'does not exist'}"


def _user(value: Mapping[str, Any]) -> str:
    if not value.get("exists"):
        return f"this host knows no user {value.get('name')}"
    return f"user {value.get('name')} exists, with the shell {value.get('shell') or '/bin/sh'}"


def _owner(value: Mapping[str, Any]) -> str:
    knows = "knows the" if value.get("exists") else "knows no"
    return f"this host {knows} {value.get('kind')} {value.get('name')}"


PHRASES: dict[str, Phrase] = {
    "identity.attachment.role_after_worker": _attachment,
    "identity.keys.found": _keys,
    "identity.onpremises.present": _onpremises,
    "identity.owner.exists": _owner,
    "identity.user.can_login": _user,
    "identity.user.exists": _user,
}
STATED = {
    "identity.owner.exists": ("this host knows the user or group", "this host does not know the user or group"),
    "identity.user.can_login": (
        "the user's shell is there and runs programs",
        "the user's shell is nologin, false or not there",
    ),
    "identity.user.exists": ("this host knows the user", "this host does not know the user"),
    "identity.attachment.role_after_worker": (
        "the role was attached after the agent's worker had started",
        "the role was there before the agent's worker started",
    ),
    "identity.onpremises.present": (
        "there is a configuration for on-premises hosts",
        "there is no configuration for on-premises hosts",
    ),
}
NAMED = {
    "identity.keys.found": "the number of files with static keys of the agent's user",
}
