"""What a deployment's scripts.log says of one script; the agent notes each before its start (hook_executor.rb:305)."""

from __future__ import annotations

import re
from typing import NamedTuple

from agentdoctor import layout
from agentdoctor.probes import CannotLook, Look
from agentdoctor.probes._archive import group_of, is_deployment

_LOG_READ = 1 << 20  # bytes of what the hooks of a deployment printed
_STAMP = r"\[?\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{3}\])? "
_EVENT = re.compile(rf"^{_STAMP}LifecycleEvent - (?P<event>\w+)\s*$", re.MULTILINE)
_SCRIPT = re.compile(rf"^{_STAMP}Script - (?P<script>\S.*?)\s*$", re.MULTILINE)


class Run(NamedTuple):
    """``started``: the script was noted; ``after``: the script of its event that was noted next, "" for none.

    Both None where the text does not reach back to the event.
    """

    started: bool | None
    after: str | None


def run_of(text: str, event: str, script: str) -> Run:
    """The last run of a script in the last of such events.

    Output that looks like a note has a stamp of its own before it. A real one may be glued to output that ends without
    a line break; as a start of the script it counts, as that of another one it does not.
    """
    part = _event_of(text, event)
    if part is None:
        return Run(None, None)
    start = _start(part, script)
    if start is None:
        return Run(False, None)
    following = _SCRIPT.search(part, start)
    return Run(True, following["script"] if following else "")


def output_of(text: str, event: str, script: str) -> str:
    """What the last run of a script in the last of such events printed, as logged; "" where nothing is known of it."""
    part = _event_of(text, event) or ""
    start = _start(part, script)
    if start is None:
        return ""
    following = _SCRIPT.search(part, start)
    return part[start : following.start() if following else len(part)]


def _event_of(text: str, event: str) -> str | None:
    """What stands below the last header of the event; None if there is none."""
    headers = list(_EVENT.finditer(text))
    mine = [number for number, header in enumerate(headers) if header["event"] == event]
    if not mine:
        return None
    end = headers[mine[-1] + 1].start() if mine[-1] + 1 < len(headers) else len(text)
    return text[headers[mine[-1]].end() : end]


def _start(part: str, script: str) -> int | None:
    """Where the note of the script's last start ends."""
    starts = list(re.finditer(rf"{_STAMP}Script - {re.escape(script)}[^\S\n]*$", part, re.MULTILINE))
    return starts[-1].end() if starts else None


def printed(look: Look) -> tuple[str, str, str]:
    """The deployment's group, its scripts.log and the end of what stands in it."""
    group, id_ = group_of(look.host, look.about), look.about["deployment_id"]
    if not group or not is_deployment(id_):
        raise CannotLook("the log does not say of which deployment it is")
    log = f"{layout.read(look.host).root_dir}/{group}/{id_}/logs/scripts.log"
    try:
        return group, log, look.host.tail(log, _LOG_READ)[1].decode("utf-8", "replace")
    except (FileNotFoundError, NotADirectoryError):
        raise CannotLook("what the hooks of this deployment printed is gone") from None


# What a shell says of a command that it did not find: bash, dash, and env.
_NOT_FOUND = re.compile(
    r"(?:: (?:line )?\d+: |: )(?P<command>[\w./+-]{1,60}): (?:command )?not found$|"
    r"env: [\u2018'\"`]?(?P<env>[\w./+-]{1,60})[\u2019'\"`]?: No such file or directory$",
    re.MULTILINE,
)


def not_found(look: Look) -> str:
    """The last command that the script's output says was not found. CannotLook when it names none."""
    _, log, text = printed(look)
    said = list(_NOT_FOUND.finditer(output_of(text, look.about["event"], look.about["script"].strip())))
    if not said:
        raise CannotLook(f"{log} names no command that was not found")
    return str(said[-1]["command"] or said[-1]["env"])
