"""Words for what ``probes/host.py`` sees."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from agentdoctor.words import Phrase

_ASKED = ("restorecon", "ruby", "semanage", "setfacl")


def _command(name: str, value: Mapping[str, Any]) -> str:
    return f"{name} {'is' if value.get(name) else 'is not'} installed"


def _found(value: Mapping[str, Any]) -> str:
    name, found, elsewhere = value.get("command"), value.get("found"), value.get("elsewhere")
    if found:
        return f"{name} is {found}"
    where = f", but it is {elsewhere}" if elsewhere else ""
    return f"{name} is not on the PATH of a service{where}"


def _machine(value: Mapping[str, Any]) -> str:
    return f"the machine says that it is of {value.get('vendor') or ('EC2' if value.get('ec2') else 'nobody')}"


PHRASES: dict[str, Phrase] = {f"host.commands.{name}": partial(_command, name) for name in _ASKED}
PHRASES |= {"host.command": _found, "host.command.found": _found, "host.hypervisor.ec2": _machine}
STATED = {f"host.commands.{name}": (f"{name} is installed", f"{name} is not installed") for name in _ASKED}
STATED["host.command.found"] = (
    "the command is on the PATH of a service",
    "the command is not on the PATH of a service",
)
STATED["host.hypervisor.ec2"] = ("the machine is of EC2", "the machine is not of EC2")
