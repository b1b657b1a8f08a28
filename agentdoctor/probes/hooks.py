"""What the hooks of the deployments that succeeded printed: did one of them hide that its program never started?"""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterator
from typing import NamedTuple

from agentdoctor.host import Host
from agentdoctor.probes import CannotLook, Look, Values, probe
from agentdoctor.probes._archive import LAST_EVENTS, groups, pointed
from agentdoctor.probes._started import Hit, hits, minded, running

_TAIL = 256 << 10  # bytes of a log; what the hooks of a deployment print is mostly less
_SCRIPT_LIMIT = 64 << 10
_NOTHING = dict.fromkeys(("log", "deployment_id", "event", "script", "text", "command"), "")
_COPIED = "a copied tree does not show what runs"


class _Print(NamedTuple):
    """A text that proves a failed start, and the hook that printed it."""

    log: str
    archive: str
    event: str
    script: str
    hit: Hit


@probe("hooks.hidden", source="disk", live=False)
def hidden(look: Look) -> Values:
    """``{log, deployment_id, event, script, text, command, running, logs}`` of a program that never came to run.

    From scripts.log of the revision that each group installed last (its pointer says "successful" once Install is
    done, whatever became of later hooks: agent.md 1.2). ``text`` is what nohup, setsid, systemctl, Java or Node said of
    the program or unit ``command`` that the hook ``script`` of ``event`` started; of several the first of which nothing
    runs now. ``running``: a process of that name lives, or the unit is active. All "" and None where no hook said
    such, or where the script itself says what happens then; None too in a copied tree. ``logs`` counts what was read.
    Skipped where no hook printed anything.
    """
    archives = [archive for group in groups(look.host) if (archive := _archive(look.host, group))]
    texts = [(archive, text) for archive in archives if (text := _log(look.host, archive)) is not None]
    if not texts:
        raise CannotLook("no hook of a deployment that succeeded has printed anything here", skip=True)
    shown = [one for archive, text in texts for one in _prints(archive, text) if not _minded(look.host, one)]
    first, lives = _first(look.host, shown)
    if first is None:
        return {**_NOTHING, "running": None, "logs": len(texts)}
    return {
        "log": first.log,
        "deployment_id": posixpath.basename(posixpath.dirname(first.archive)),
        "event": first.event,
        "script": first.script,
        "text": first.hit.text,
        "command": first.hit.command,
        "running": lives,
        "logs": len(texts),
        **({"reason": _COPIED} if lives is None else {}),
    }


def _archive(host: Host, group: str) -> str:
    try:
        return pointed(host, group)
    except CannotLook:  # torn by a full disk, or of another deployment root
        return ""


def _log_of(archive: str) -> str:
    return f"{posixpath.dirname(archive)}/logs/scripts.log"


def _log(host: Host, archive: str) -> str | None:
    """The end of a deployment's scripts.log; None if there is none, which is so without hooks."""
    try:
        return host.tail(_log_of(archive), _TAIL)[1].decode("utf-8", "replace")
    except (FileNotFoundError, NotADirectoryError):
        return None


def _prints(archive: str, text: str) -> Iterator[_Print]:
    """All of a log but what the hooks of the revision before it printed: those end what is to end."""
    for hit in hits(text):
        before = text[: hit.at]
        event, script = _last(_EVENT, before), _last(_SCRIPT, before)
        if event not in LAST_EVENTS:
            yield _Print(_log_of(archive), archive, event, script, hit)


_EVENT = re.compile(r"\d LifecycleEvent - (\w+)\s*$", re.MULTILINE)
_SCRIPT = re.compile(r"\d Script - (\S[^\n]*?)\s*$", re.MULTILINE)


def _last(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.findall(text)
    return str(found[-1]) if found else ""


def _minded(host: Host, one: _Print) -> bool:
    """Whether the script that printed it, which lies in the revision, says what happens then."""
    relative = posixpath.normpath(one.script.lstrip("/"))
    if not one.script or relative.startswith("..") or "\0" in relative:
        return False
    top = os.path.realpath(host.path(one.archive))
    if not os.path.realpath(os.path.join(top, relative)).startswith(f"{top}/"):
        return False
    try:
        return minded(host.read(f"{one.archive}/{relative}", _SCRIPT_LIMIT), one.hit)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return False


def _first(host: Host, shown: list[_Print]) -> tuple[_Print | None, bool | None]:
    """The first of which nothing runs now, else the first; and whether it runs."""
    if not shown or not host.live:
        return (shown[0] if shown else None), None
    known = {command: running(host, command) for command in dict.fromkeys(one.hit.command for one in shown)}
    first = next((one for one in shown if not known[one.hit.command]), shown[0])
    return first, known[first.hit.command]
