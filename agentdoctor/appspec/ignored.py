"""The keys of an AppSpec that the agent passes over in silence, though somebody meant them to have an effect.

It reads the keys below and no others (application_specification.rb, agent.md 5.2), and never complains of one. So do
notes of its authors (name, description, what other tools read) pass, and those are none of our business: a key counts
only if it is nearly one that is read, or is one that is read elsewhere, or asks for what another key does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from agentdoctor.appspec.events import SCRIPTED
from agentdoctor.appspec.nodes import Fields, anchors
from agentdoctor.appspec.reading import Node

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
    """A key, the section in which it stands ("": at the left margin), and what was meant; line and column from 1."""

    key: str
    place: str
    line: int
    meant: str
    column: int = 1


def ignored(root: Node | None) -> list[Ignored]:
    """All of them in the order of the file; none of what has not the shape of an AppSpec."""
    if root is None or root.kind != "map":
        return []
    aliases = anchors(root)
    top = Fields(root, aliases)
    found = [*_of(top, "", _TOP)]
    for section, known in (("files", _FILE), ("permissions", _PERMISSION)):
        for item in _entries(top.get(section), aliases):
            found += _of(item, section, known)
    hooks = top.get("hooks")
    for _, scripts in Fields(hooks, aliases).pairs() if hooks is not None and hooks.kind == "map" else ():
        for item in _entries(scripts, aliases):
            found += _of(item, "hooks", _SCRIPT)
    said = _text(top.get(_BEHAVIOR)).upper()
    once = {(one.line, one.column): one for one, node in found if not _without_effect(one, _text(node), said)}
    return [one for _, one in sorted(once.items())]


def _entries(node: Node | None, aliases: dict[str, Node]) -> Iterator[Fields]:
    for child in node.children if node is not None and node.kind == "list" else ():
        item = aliases.get(child.text, child) if child.kind == "alias" else child
        if item.kind == "map":
            yield Fields(item, aliases)


def _of(fields: Fields, place: str, known: tuple[str, ...]) -> Iterator[tuple[Ignored, Node]]:
    for key, item in fields.pairs():
        meant = "" if key.text in known else _meant(key.text, place, known)
        if meant:
            yield Ignored(key.text, place, key.line, meant, key.column), item


@lru_cache(maxsize=1024)  # a list of thousands of files repeats its keys
def _meant(key: str, place: str, known: tuple[str, ...]) -> str:
    """The right key for a wrong one, "" if it is nobody's business."""
    plain = key.lower().replace("-", "").replace("_", "")
    if plain == "overwrite" or _like(plain, (_BEHAVIOR.replace("_", ""),)):
        return _AT_TOP
    if not place and key in SCRIPTED:
        return f"{key} inside of hooks"
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


def _text(node: Node | None) -> str:
    return node.text if node is not None and node.kind == "scalar" else ""
