"""The probe of commands."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from agentdoctor.host import Host
from agentdoctor.model import Outcome
from agentdoctor.probes.host import COMMANDS
from agentdoctor.words import say

from .conftest import ask, cases, value, write


def test_commands(tmp_path: Path) -> None:
    """On the path of a service, and to be executed; a shim of rbenv is neither."""
    write(tmp_path, {"/usr/bin/tar": "", "/usr/local/bin/unzip": "", "/usr/bin/sudo": "", "/usr/sbin/semanage": None})
    write(tmp_path, {"/root/.rbenv/shims/ruby": ""})
    for name in ("usr/bin/tar", "usr/local/bin/unzip", "root/.rbenv/shims/ruby"):
        (tmp_path / name).chmod(0o755)
    (tmp_path / "usr/bin/sudo").chmod(0o644)
    seen = value("host.commands", Host(root=str(tmp_path)))

    assert set(seen) == set(COMMANDS)
    assert {name for name, there in seen.items() if there} == {"tar", "unzip"}


COMMANDS_CALLED = [
    ("on the path", "tar", {"command": "tar", "found": "/usr/bin/tar", "elsewhere": ""}),
    ("of a login", "npm", {"found": "", "elsewhere": "/home/ubuntu/.nvm/versions/node/v18/bin/npm"}),
    ("a snap", "node", {"found": "", "elsewhere": "/snap/bin/node"}),
    ("by its path", "/usr/bin/tar", {"found": "/usr/bin/tar"}),
    (
        "by a path that is not there",
        "/usr/local/bin/npm",
        {"found": "", "elsewhere": "/home/ubuntu/.nvm/versions/node/v18/bin/npm"},
    ),
    ("nowhere", "pm2", {"found": "", "elsewhere": ""}),
    ("not to be executed", "yarn", {"found": "", "elsewhere": ""}),
]


@cases(COMMANDS_CALLED)
def test_command(tmp_path: Path, command: str, expected: dict[str, Any]) -> None:
    names = ("/usr/bin/tar", "/home/ubuntu/.nvm/versions/node/v18/bin/npm", "/snap/bin/node", "/usr/bin/yarn")
    write(tmp_path, dict.fromkeys(names, ""))
    for name in names[:3]:
        (tmp_path / name[1:]).chmod(0o755)
    seen = value("host.command", Host(root=str(tmp_path)), command=command)
    assert {name: seen[name] for name in expected} == expected


@pytest.mark.parametrize("command", ["a b", "../x", "./x", "$(x)", "..", "x*"])
def test_what_is_no_command(tmp_path: Path, command: str) -> None:
    assert ask("host.command", Host(root=str(tmp_path)), command=command).outcome is Outcome.UNKNOWN


def test_words_of_a_command() -> None:
    seen = {"command": "npm", "found": "", "elsewhere": "/snap/bin/npm"}
    assert say("host.command", "found", "", seen) == "npm is not on the PATH of a service, but it is /snap/bin/npm"


def test_words() -> None:
    assert say("host.commands", "setfacl", False, {"setfacl": False}) == "setfacl is not installed"


MACHINES: list[tuple[str, dict[str, str | None], bool, str]] = [
    ("Nitro", {"/sys/class/dmi/id/sys_vendor": "Amazon EC2\n"}, True, "Amazon EC2"),
    ("Xen, by its UUID", {"/sys/hypervisor/uuid": "ec2e1916-9099-7caf-fd21-012345abcdef\n"}, True, ""),
    (
        "Xen, by the version of its BIOS",
        {"/sys/class/dmi/id/sys_vendor": "Xen\n", "/sys/class/dmi/id/bios_version": "4.11.amazon\n"},
        True,
        "Xen",
    ),
    ("another cloud", {"/sys/class/dmi/id/sys_vendor": "QEMU\n", "/sys/hypervisor/uuid": "12345\n"}, False, "QEMU"),
]


@cases(MACHINES)
def test_hypervisor(tmp_path: Path, files: dict[str, str | None], ec2: bool, vendor: str) -> None:
    """What the kernel passes on of the machine."""
    host = dataclasses.replace(write(tmp_path, files), live=True)

    assert value("host.hypervisor", host) == {"ec2": ec2, "vendor": vendor}


def test_a_machine_that_says_nothing(tmp_path: Path) -> None:
    """As in many containers: not EC2 would be a guess."""
    assert ask("host.hypervisor", dataclasses.replace(write(tmp_path, {"/sys": None}), live=True)).value is None
