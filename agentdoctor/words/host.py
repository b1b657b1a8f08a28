"""Words for what ``probes/host.py`` sees."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from agentdoctor.words import Phrase

_ASKED = ("restorecon", "ruby", "semanage", "setfacl")


def _command(name: str, value: Mapping[str, Any]) -> str:
    return f"{name} {'is' if value.get(name) else 'is not'} installed"


PHRASES: dict[str, Phrase] = {f"host.commands.{name}": partial(_command, name) for name in _ASKED}
STATED = {f"host.commands.{name}": (f"{name} is installed", f"{name} is not installed") for name in _ASKED}
