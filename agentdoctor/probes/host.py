"""Which programs are on the host that the agent and its hooks call."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Sequence

from agentdoctor.host import Host
from agentdoctor.probes import CannotLook, Look, Values, probe
from agentdoctor.probes._hook_log import not_found

# Where a service looks; what a login shell adds (rvm, rbenv) the agent does not see.
PATH = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")
COMMANDS = ("gdebi", "restorecon", "ruby", "semanage", "setfacl", "sudo", "tar", "unzip")
# Where programs lie that only a login finds, or that must be called by their path.
_ELSEWHERE = (
    *("/snap/bin", "/usr/local/go/bin", "/opt/*/bin", "/usr/lib/jvm/*/bin"),
    *(
        f"{home}/{place}"
        for home in ("/root", "/home/*")
        for place in (".local/bin", "bin", ".cargo/bin", ".rbenv/shims")
    ),
    *(f"{home}/{place}" for home in ("/root", "/home/*") for place in (".nvm/versions/node/*/bin", ".pyenv/shims")),
)


@probe("host.commands", source="disk")
def commands(look: Look) -> Values:
    """Of each of COMMANDS whether it is on the path of a service and may be executed."""
    return {name: _present(look.host, name) for name in COMMANDS}


def _present(host: Host, name: str) -> bool:
    return any(_runs(host, f"{folder}/{name}") for folder in PATH)


def _runs(host: Host, path: str) -> bool:
    return os.path.isfile(host.path(path)) and os.access(host.path(path), os.X_OK)


@probe("host.command", source="disk", also=("command", "script", "event", "deployment_id", "group_id"))
def command(look: Look) -> Values:
    """``{command, found, elsewhere}`` of the command that a hook called.

    ``found`` is its path where a service looks, "" if it is not there; ``elsewhere`` the first place of those that a
    login adds (nvm, rbenv, snap) where it is, "" if it is in none. Agent 2.x logs no output of hooks, so where the log
    does not say which command it was the last words of the script in scripts.log do.
    """
    host, name = look.host, look.about.get("command", "")
    if not name and not all(look.about.get(part) for part in ("script", "event", "deployment_id")):
        raise CannotLook("the log does not say which command")
    name = name or not_found(look)
    if not re.fullmatch(r"[\w.+-]+|/[\w./+-]+", name) or name in (".", ".."):
        raise CannotLook("the log names no command that could be looked for")
    places = (name,) if name.startswith("/") else tuple(f"{folder}/{name}" for folder in PATH)
    found = next((place for place in places if _runs(host, place)), "")
    return {
        "command": name,
        "found": found,
        "elsewhere": "" if found else _elsewhere(host, os.path.basename(name)),
    }


def _elsewhere(host: Host, name: str) -> str:
    top = host.path("/").rstrip("/")
    paths = (path for folder in _ELSEWHERE for path in sorted(glob.glob(f"{top}{folder}/{glob.escape(name)}")))
    return next((path for path in (path.removeprefix(top) for path in paths) if _runs(host, path)), "")


# Nitro says "Amazon EC2", older ones a version with "amazon"; Xen has a UUID that begins with ec2 (EC2 user guide,
# "Detect whether a host is an EC2 instance"). All but the last of them may be read by everybody.
_VENDORS = tuple(f"/sys/class/dmi/id/{name}" for name in ("sys_vendor", "board_vendor", "bios_vendor", "bios_version"))
_UUIDS = ("/sys/hypervisor/uuid", "/sys/class/dmi/id/product_uuid")


@probe("host.hypervisor", source="disk")
def hypervisor(look: Look) -> Values:
    """``{ec2, vendor}``: whether the machine says that it is of EC2, and whose it says it is."""
    vendors, uuids = _said(look.host, _VENDORS), _said(look.host, _UUIDS)
    if not vendors and not uuids:
        raise CannotLook("the kernel does not say what machine this is")
    ec2 = any("amazon" in text.lower() for text in vendors) or any(text.lower().startswith("ec2") for text in uuids)
    return {"ec2": ec2, "vendor": vendors[0] if vendors else ""}


def _said(host: Host, paths: Sequence[str]) -> list[str]:
    """What these files say, those left out that are not there or not for us."""
    texts = []
    for path in paths:
        try:
            texts.append(host.read(path, 256).strip())
        except OSError:
            continue
    return [text for text in texts if text]
