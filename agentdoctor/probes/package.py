"""Which agent is installed: what dpkg knows, and what lies under /opt."""

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
