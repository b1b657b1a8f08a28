"""Whether an AppSpec is so plain that it need not be parsed to know that no key of it is ignored."""

from __future__ import annotations

import re

_FILE = ("source", "destination")
_SCRIPT = ("location", "timeout", "runas", "sudo")
_LINE = re.compile(rb"(?P<indent> *)(?P<dash>- +)?(?P<key>\w+):(?P<value> .*)?", re.ASCII)


def usual(raw: bytes) -> bool:
    """Whether an AppSpec is of the plain kind that cannot hold such a key, so that no YAML reader is needed.

    That is: one key a line, of files and hooks only what the agent reads there. To load the reader takes a sixth of
    the time of a whole check.
    """
    section, event = "", -1
    for line in (line.rstrip() for line in raw.split(b"\n")):
        if not line or line.lstrip(b" ").startswith(b"#"):
            continue
        found = _LINE.fullmatch(line)
        if not found:
            return False
        indent, key = len(found["indent"]), found["key"].decode()
        if not indent and not found["dash"]:
            section, event = key, -1
            if key not in ("version", "os", "files", "hooks"):
                return False
        elif section == "hooks" and not found["dash"] and not found["value"]:
            event = indent
        elif not _at_home(section, key, event, indent if not found["dash"] else indent + 1):
            return False
    return section != ""


def _at_home(section: str, key: str, event: int, indent: int) -> bool:
    """Whether a key stands where the agent reads it: of a file, or of a script below its event."""
    return key in _FILE if section == "files" else section == "hooks" and key in _SCRIPT and 0 <= event < indent
