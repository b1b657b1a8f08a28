"""The AppSpec of a revision, judged no further than what the agent asks of it first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentdoctor.probes import CannotLook, Look, Values, probe
from agentdoctor.probes._appspec import find, parse, value
from agentdoctor.probes._archive import LAST_UNPACKED, groups, is_directory, of_finding, pointed
from agentdoctor.probes._keys import Ignored, ignored, usual

if TYPE_CHECKING:
    import yaml

_TAG = "tag:yaml.org,2002:"
_SHOWN = 80
_UNREAD = dict.fromkeys(
    ("yaml_ok", "line", "column", "problem", "empty", "version", "version_ok", "os", "os_ok", "bom"), None
)


@probe("appspec.parsed", source="disk", live=False, also=("archive", "path", "deployment_id", "group_id", "event"))
def parsed(look: Look) -> Values:
    """``{present, yaml_ok, problem, line, column, empty, version, version_ok, os, os_ok, bom}`` of the AppSpec.

    It is appspec.yml or appspec.yaml at the root of the revision. ``problem``, ``line`` and ``column`` (from 1) are
    of the first syntax error. ``version`` and ``os`` are the texts as written, "" for none. The agent takes the
    number 0 alone as version, and the text linux alone as os (application_specification.rb:60-80); ``version_ok`` is
    None where Ruby may read a number otherwise than we do. A byte order mark hides all keys but the first from
    Psych, so then ``os_ok`` is False. All but ``present`` is None where there is none under these names, and after a
    syntax error what comes later.
    """
    raw = find(look.host, of_finding(look.host, look.about))
    if raw is None:
        return {"present": False, **_UNREAD}
    document = parse(raw)
    seen: Values = {**_UNREAD, "present": True, "bom": document.bom, "yaml_ok": not document.problem}
    if document.problem:
        return {**seen, "problem": document.problem[:200], "line": document.line, "column": document.column}
    version, os_name = value(document.root, "version"), value(document.root, "os")
    return {
        **seen,
        "problem": "",
        "empty": document.empty,
        "version": _text(version),
        "version_ok": _is_zero(version),
        "os": _text(os_name),
        "os_ok": _is_linux(os_name) and not document.bom,
    }


def _text(node: yaml.Node | None) -> str:
    return str(node.value)[:_SHOWN] if node is not None and isinstance(node.value, str) else ""


def _is_zero(node: yaml.Node | None) -> bool | None:
    """Whether the version is the number 0. Forms with _ , : are numbers to one of the two languages only."""
    if node is None or not isinstance(node.value, str):
        return False
    plain = not getattr(node, "style", "")
    if plain and any(mark in node.value for mark in "_,:"):
        return None
    if node.tag not in (f"{_TAG}float", f"{_TAG}int"):
        return False
    try:
        return float(node.value) == 0
    except ValueError:  # 0x0, 0b0: the digits tell
        return not any(digit in "123456789abcdef" for digit in node.value.lower().lstrip("-+0xb"))


def _is_linux(node: yaml.Node | None) -> bool:
    return node is not None and node.tag == f"{_TAG}str" and node.value == "linux"


@probe("appspec.ignored", source="disk", live=False)
def ignored_keys(look: Look) -> Values:
    """``{archive, key, place, line, meant, count}`` of the keys that the agent does not read and somebody meant.

    Of the revision that each group unpacked last; all but ``count`` of the first such key of the newest group that
    has one, "" if there is none. ``place`` is files, hooks, permissions or "" for the left margin, ``line`` counts from
    1, ``meant`` is the key that was meant. An AppSpec that cannot be read is none of them: the agent refuses it, or
    its name is another one. Skipped where no revision is unpacked.
    """
    seen = [one for group in groups(look.host, LAST_UNPACKED) if (one := _keys(look, group)) is not None]
    if not seen:
        raise CannotLook("no revision is unpacked here, or none whose AppSpec can be read", skip=True)
    archive, found = next((one for one in seen if one[1]), ("", []))
    first = found[0] if found else Ignored("", "", 0, "")
    return {
        "archive": archive,
        "key": first.key[:_SHOWN],
        "place": first.place,
        "line": first.line,
        "meant": first.meant,
        "count": sum(len(keys) for _, keys in seen),
    }


def _keys(look: Look, group: str) -> tuple[str, list[Ignored]] | None:
    """A group's archive and what its AppSpec says in vain; None where there is nothing that could be read."""
    try:
        archive = pointed(look.host, group, LAST_UNPACKED)
    except CannotLook:  # torn by a full disk, or of another deployment root
        return None
    raw = find(look.host, archive) if archive and is_directory(look.host, archive) else None
    if raw is not None and usual(raw):
        return archive, []
    document = parse(raw) if raw is not None else None
    return (archive, ignored(document.root)) if document and not document.problem and not document.empty else None
