"""Which agent is installed: what dpkg knows, what lies under /opt, and whether AWS supports it here."""

from __future__ import annotations

import re

from agentdoctor.host import Host
from agentdoctor.probes import CannotLook, Look, Values, probe

NAME = "codedeploy-agent"
PROGRAM = "/opt/codedeploy-agent/bin/codedeploy-agent"
VERSION_FILE = "/opt/codedeploy-agent/.version"


def generation(version: str) -> str:
    """``1.x`` or ``2.x`` for a version as dpkg or the version file writes it, "" if it does not tell.

    Forms: OFFICIAL_1.8.1-99_deb and COMMIT_<sha> (Rakefile:50-61 of 1.8.1), 2.1.0 (agent-2x, Cargo.toml).
    """
    if version.startswith("COMMIT_"):
        return "1.x"
    found = re.search(r"(?:^|_)(\d+)\.\d", version)
    return {"1": "1.x", "2": "2.x"}.get(found[1], "") if found else ""


def file_version(host: Host) -> str:
    """The text after the last ": " of the version file, as the agent reads it. OSError when it cannot be read.

    CC/deploy_agent_version.rb:11 of agent 1.8.1. 2.x writes the file when its master starts, so there it shows
    the last start and not the package.
    """
    return host.read(VERSION_FILE, 4096).strip().rpartition(": ")[2]


@probe("package.version", source="disk", live=False)
def version(look: Look) -> Values:
    """``{file_version, generation}`` from the version file alone."""
    try:
        found = file_version(look.host)
    except (FileNotFoundError, NotADirectoryError):
        raise CannotLook(f"there is no {VERSION_FILE}", skip=True) from None
    return {"file_version": found, "generation": generation(found)}


@probe("package.agent", source="package")
def agent(look: Look) -> Values:
    """``{installed, status, version, file_version, generation}``.

    ``installed``: dpkg says so, or the program is there. ``status`` and ``version`` are dpkg's words, "" for a
    package it does not know, None when dpkg itself fails.
    """
    host = look.host
    status, known_version = _dpkg(host)
    try:
        written = file_version(host)
    except (FileNotFoundError, NotADirectoryError):
        written = ""
    there = status == "installed" or host.exists(PROGRAM)
    return {
        "installed": there or (None if status is None else False),
        "status": status,
        "version": known_version,
        "file_version": written,
        "generation": generation(known_version or "") or generation(written) or _by_program(host),
    }


def _dpkg(host: Host) -> tuple[str | None, str | None]:
    form = "${db:Status-Status} ${Version} ${Architecture}"
    try:
        done = host.run(["dpkg-query", "-W", "-f", form, NAME], timeout=1.6)
    except FileNotFoundError:  # not a Debian: the files are all there is to go by
        return "", ""
    except TimeoutError:
        return None, None
    if done.returncode == 0:
        status, _, rest = done.stdout.partition(" ")
        return status, rest.rpartition(" ")[0].strip()
    return ("", "") if "no packages found" in done.stderr else (None, None)


def _by_program(host: Host) -> str:
    """1.x is a Ruby script, 2.x a compiled program."""
    try:
        start = host.read(PROGRAM, 4)
    except OSError:
        return ""
    return "2.x" if start == "\x7fELF" else "1.x" if start.startswith("#!") else ""


# AWS's user guide, "Working with the CodeDeploy agent", as of 2026-09-07 (agent 2.1.0): the oldest version that is
# supported, and the oldest that was tested on each Ubuntu.
OLDEST = (1, 8)
UBUNTU = {
    "16.04": (1, 8),
    "18.04": (1, 8),
    "20.04": (1, 8),
    "22.04": (1, 8),
    "24.04": (2, 0),
    "25.04": (2, 0),
    "26.04": (2, 0),
}
DROPPED = ("14.04", "19.10")  # the first by agent 1.5.0, the second at its own end of life


@probe("package.support", source="package", live=False)
def support(look: Look) -> Values:
    """``{version, os_id, os_version, supported, reason}`` by AWS's tables of versions and of Ubuntu releases.

    The version is that of the version file, or else dpkg's. CannotLook, to be skipped, for what the tables do not
    know, such as another distribution; an agent that is too old is so everywhere.
    """
    version = _version(look.host)
    try:
        os_id, os_version = _system(look.host.read("/etc/os-release", 65536))
    except (FileNotFoundError, NotADirectoryError):
        os_id = os_version = ""
    supported, reason = supports(version, os_id, os_version)
    if supported is None:  # AWS says nothing of it, so there is nothing to hold against it
        raise CannotLook(reason, skip=True)
    return {
        "version": version,
        "os_id": os_id,
        "os_version": os_version,
        "supported": supported,
        "reason": reason,
    }


def supports(version: str, os_id: str, os_version: str) -> tuple[bool | None, str]:
    """Whether AWS supports this agent on this system, and why not or why that is not known."""
    number = _number(version)
    if number is None:
        return None, f"{version or 'nothing'} is no version that AWS names"
    if number < OLDEST:
        return False, f"AWS supports {_dotted(OLDEST)} and newer"
    if os_id == "ubuntu" and os_version in DROPPED:
        return False, f"AWS supports no agent on Ubuntu {os_version} any more"
    tested = UBUNTU.get(os_version) if os_id == "ubuntu" else None
    if tested is None:
        return None, f"{os_id or 'a system without os-release'} {os_version}".strip() + " is not in the list of systems"
    if number < tested:
        return False, f"AWS tests Ubuntu {os_version} with {_dotted(tested)} and newer"
    return True, ""


def _version(host: Host) -> str:
    """What the version file says, else dpkg. CannotLook where there is neither."""
    try:
        found = file_version(host)
    except (FileNotFoundError, NotADirectoryError):
        found = ""
    found = found or (host.live and _dpkg(host)[1]) or ""
    if not found:
        raise CannotLook(f"there is no {VERSION_FILE}, and no package that dpkg knows", skip=True)
    return found


def _number(version: str) -> tuple[int, int] | None:
    """Major and minor of ``OFFICIAL_1.8.1-99_deb``, ``1.8.1-99`` or ``2.1.0``; None for a build from git."""
    found = re.search(r"(?:^|_)(\d{1,4})\.(\d{1,4})(?=[.-]|$)", version, re.ASCII)
    return (int(found[1]), int(found[2])) if found and not version.startswith("COMMIT_") else None


def _dotted(number: tuple[int, int]) -> str:
    return f"{number[0]}.{number[1]}"


def _system(text: str) -> tuple[str, str]:
    """ID and VERSION_ID of os-release(5), "" where they are not said."""
    found = dict(re.findall(r"^(ID|VERSION_ID)=[\"']?([^\"'\n]*)", text, re.MULTILINE))
    return found.get("ID", "").strip(), found.get("VERSION_ID", "").strip()
