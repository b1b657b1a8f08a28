"""What a shell, nohup, setsid, systemd, Java and Node say when a program never came to run.

Much of what hooks print to stderr is harmless, so only these count: each is the last word of a program that had just
been put into the background, where nobody asks for its exit code (coreutils src/nohup.c, util-linux
sys-utils/setsid.c, systemctl start, the java launcher, node:net).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from agentdoctor.host import Host
from agentdoctor.probes.process import check_sight

_MARK = "'\u2018\u2019`\""
_NOHUP = re.compile(rf"\bnohup: failed to run command [{_MARK}](?P<command>[^\n{_MARK}]{{1,200}})[{_MARK}]")
_SETSID = re.compile(r"\bsetsid: failed to execute (?P<command>[^\n:]{1,200}):")
_UNIT = re.compile(r"\bFailed to start (?P<command>[\w.@:-]{1,200}\.service): Unit \S{1,200} (?:not found|is masked)")
_JAR = re.compile(r"\bError: Unable to access jarfile (?P<file>[^\n]{1,200})")
_PORT_OF_JAVA = re.compile(r"\bjava\.net\.BindException: Address already in use")
_PORT_OF_NODE = re.compile(r"\bError: listen EADDRINUSE\b")
# text, the program where it names none, and the word of the script that starts it ("": it may be any)
_SAYS = (
    (_NOHUP, "", "nohup"),
    (_SETSID, "", "setsid"),
    (_UNIT, "", "start"),
    (_JAR, "java", "-jar"),
    (_PORT_OF_JAVA, "java", ""),
    (_PORT_OF_NODE, "node", ""),
)


class Hit(NamedTuple):
    """A text that proves it and where it stands, the program or unit that did not start, and how it is started."""

    at: int
    text: str
    command: str
    file: str  # what it was to run, where the text names that
    starter: str


def hits(text: str) -> list[Hit]:
    """All such texts in their order."""
    return sorted(_found(text))


def _found(text: str) -> Iterator[Hit]:
    for pattern, program, starter in _SAYS:
        for match in pattern.finditer(text):
            named = match.groupdict()
            command = program or named["command"].strip()
            yield Hit(match.start(), match[0].strip(), command, (named.get("file") or "").strip(), starter)


def minded(script: str, hit: Hit) -> bool:
    """Whether the script itself says what happens then: ``systemctl start httpd || systemctl start apache2``.

    The line that starts it does so in a condition or has an alternative, or its name stands in the list of a loop.
    Lines that end in a backslash or in || are read with the next one.
    """
    name = os.path.basename(hit.file or hit.command).removesuffix(".service")
    if not (name and hit.starter):
        return False
    word = re.compile(rf"(?<![\w-]){re.escape(name)}(?![\w-])")
    lines = [line for line in _JOINT.sub(" ", script).splitlines() if word.search(line)]
    return any(_LOOP.search(line) or (hit.starter in line and _CARED_FOR.search(line)) for line in lines)


_JOINT = re.compile(r"\\\r?\n|(?<=\|\|)[ \t]*\r?\n")
_CARED_FOR = re.compile(r"\|\||^\s*(?:if|elif|while|until)\b")
_LOOP = re.compile(r"^\s*for\b")


def running(host: Host, command: str) -> bool:
    """Whether a process of that name lives, or the unit does. OSError or CannotLook where that is not to be seen."""
    if command.endswith(".service") and _unit_is_up(host, command):
        return True
    name = _plain(os.path.basename(command).removesuffix(".service"))
    if any(name in names for names in _processes()):
        return True
    check_sight()
    return False


def _unit_is_up(host: Host, unit: str) -> bool:
    shown = host.run(["systemctl", "show", "--property=ActiveState", "--", unit], timeout=1.0).stdout
    return shown.strip().removeprefix("ActiveState=") in ("active", "activating", "reloading")


def _processes() -> Iterator[set[str]]:
    """The names of each process: of the kernel, and of what it says it is; without those of the kernel and the dead."""
    import psutil

    for pid in psutil.pids():
        try:
            process = psutil.Process(pid)
            name, words = process.name(), process.cmdline()
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
        if words:
            yield {_plain(name), *_called(words)}


def _called(words: Sequence[str]) -> set[str]:
    """What it was called: ``gunicorn: master`` is gunicorn; of an interpreter also the script that it runs."""
    first = os.path.basename((words[0].split() or [""])[0]).rstrip(":")
    run = words[1:2] if _plain(first) in _INTERPRETERS else ()
    return {_plain(first), *(_plain(os.path.basename(word)) for word in run)}


_INTERPRETERS = ("bash", "dash", "node", "perl", "php", "python", "ruby", "sh")


def _plain(name: str) -> str:
    """A name without its version: python3.12 is python."""
    return re.sub(r"[\d.-]+$", "", name) or name
