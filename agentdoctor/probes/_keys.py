"""The keys of an AppSpec that the agent passes over in silence, though somebody meant them to have an effect.

It reads the keys below and no others (application_specification.rb, agent.md 5.2), and never complains of one. So do
notes of its authors (name, description, what other tools read) pass, and those are none of our business: a key counts
only if it is nearly one that is read, or is one that is read elsewhere, or asks for what another key does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from agentdoctor.probes._appspec import value

if TYPE_CHECKING:
    import yaml

_TOP = ("version", "os", "files", "hooks", "permissions", "file_exists_behavior")
_LOUD = ("version",)  # the agent says itself that it misses it
_FILE = ("source", "destination")
_PERMISSION = ("object", "pattern", "except", "owner", "group", "mode", "acls", "context", "type")
_SCRIPT = ("location", "timeout", "runas", "sudo")
_BEHAVIOR = "file_exists_behavior"
_AT_TOP = f"{_BEHAVIOR} at the left margin"
# What somebody wants who writes this, by the place where it stands.
_MEANT: Mapping[str, Mapping[str, str]] = {
    "": {"runas": "runas of each script", "timeout": "timeout of each script"},
    "files": {
        "owner": "owner in permissions",
        "mode": "mode in permissions",
        "permissions": "permissions at the left margin",
        "permission": "permissions at the left margin",
        "runas": "runas of each script",
    },
    "permissions": {"acl": "acls"},
    "hooks": {"user": "runas", "run_as_user": "runas"},
}
_LIKE = 0.82  # timout is like timeout, and webhooks is not like hooks
_SHORTEST, _LONGEST = 4, 40  # letters; what is shorter is like too much
_OFF = ("false", "no", "off", "n", "~", "null", "")


@dataclass(frozen=True)
class Ignored:
    """A key, the section in which it stands ("": at the left margin), its line from 1, and what was meant."""

    key: str
    place: str
    line: int
    meant: str


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


def ignored(root: yaml.Node | None) -> list[Ignored]:
    """All of them in the order of the file; none of what has not the shape of an AppSpec."""
    found = [*_of(root, "", _TOP)]
    for section, known in (("files", _FILE), ("permissions", _PERMISSION)):
        for item in _items(value(root, section)):
            found += _of(item, section, known)
    for _, scripts in _pairs(value(root, "hooks")):
        for item in _items(scripts):
            found += _of(item, "hooks", _SCRIPT)
    rightly = value(root, _BEHAVIOR)
    said = _text(rightly).upper()
    return sorted((one for one, node in found if not _without_effect(one, _text(node), said)), key=lambda one: one.line)


def _of(node: yaml.Node | None, place: str, known: tuple[str, ...]) -> Iterator[tuple[Ignored, yaml.Node]]:
    for key, item in _pairs(node):
        meant = "" if key.value in known else _meant(key.value, place, known)
        if meant:
            yield Ignored(key.value, place, key.start_mark.line + 1, meant), item


@lru_cache(maxsize=1024)  # a list of thousands of files repeats its keys
def _meant(key: str, place: str, known: tuple[str, ...]) -> str:
    """The right key for a wrong one, "" if it is nobody's business."""
    plain = key.lower().replace("-", "").replace("_", "")
    if plain == "overwrite" or _like(plain, (_BEHAVIOR.replace("_", ""),)):
        return _AT_TOP
    meant = _MEANT.get(place, {}).get(key.lower())
    return meant or _like(plain, tuple(name for name in known if len(name) >= _SHORTEST and name not in _LOUD))


def _like(word: str, known: tuple[str, ...]) -> str:
    import difflib

    near = difflib.get_close_matches(word, known, 1, _LIKE) if _SHORTEST <= len(word) <= _LONGEST else []
    return near[0] if near else ""


def _without_effect(one: Ignored, text: str, said: str) -> bool:
    """Whether nothing would change if it were read: it asks for what is so without it, or for what is said rightly."""
    if one.meant != _AT_TOP:
        return False
    wanted = {"true": "OVERWRITE", "yes": "OVERWRITE", "on": "OVERWRITE"}.get(text.lower(), text.upper())
    return text.lower() in _OFF or bool(said and wanted == said)


def _text(node: yaml.Node | None) -> str:
    text = getattr(node, "value", None)
    return text if isinstance(text, str) else ""


def _pairs(node: yaml.Node | None) -> list[tuple[yaml.ScalarNode, yaml.Node]]:
    import yaml

    if not isinstance(node, yaml.MappingNode):
        return []
    return [(key, item) for key, item in node.value if isinstance(key, yaml.ScalarNode)]


def _items(node: yaml.Node | None) -> list[yaml.Node]:
    import yaml

    return list(node.value) if isinstance(node, yaml.SequenceNode) else []
