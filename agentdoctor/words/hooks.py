"""Words for what ``probes/hooks.py`` sees."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agentdoctor.words import Phrase


def _text(value: Mapping[str, Any]) -> str:
    if not value.get("text"):
        return "no hook of a deployment that succeeded says that a program did not start"
    script = value.get("script") or "a hook"
    return f"{script} of {value.get('event')} printed: {value['text']}"


def _command(value: Mapping[str, Any]) -> str:
    return f"what did not start is {value['command']}" if value.get("command") else _text(value)


def _log(value: Mapping[str, Any]) -> str:
    return f"it stands in {value['log']}" if value.get("log") else _text(value)


def _running(value: Mapping[str, Any]) -> str:
    return f"{value.get('command')} {'runs' if value.get('running') else 'does not run'} now"


PHRASES: dict[str, Phrase] = {
    "hooks.hidden.command": _command,
    "hooks.hidden.log": _log,
    "hooks.hidden.running": _running,
    "hooks.hidden.text": _text,
}
STATED = {
    "hooks.hidden.command": ("what did not start has a name", "nothing failed to start"),
    "hooks.hidden.log": ("the output of that hook is there", "no such output is there"),
    "hooks.hidden.running": ("it runs now", "it does not run now"),
    "hooks.hidden.text": (
        "a hook of the last deployment that succeeded printed that a program did not start",
        "no hook of the last deployment that succeeded printed that a program did not start",
    ),
}
