"""The AppSpec of a revision, as the agent's own parser sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentdoctor.probes import CannotLook, Look, Values, probe
from agentdoctor.probes._appspec import LeadsOut, find, value
from agentdoctor.probes._archive import LAST_UNPACKED, groups, is_directory, of_finding, pointed
from agentdoctor.probes._keys import usual

if TYPE_CHECKING:  # what judges an AppSpec is loaded once there is one to judge
    from agentdoctor.appspec.finding import Problem
    from agentdoctor.appspec.ignored import Ignored
    from agentdoctor.appspec.reading import Document, Node

_SHOWN = 80
_UNREAD = dict.fromkeys(
    ("yaml_ok", "line", "column", "problem", "empty", "version", "version_ok", "os", "os_ok", "bom"), None
)


@probe("appspec.parsed", source="disk", live=False, also=("archive", "path", "deployment_id", "group_id", "event"))
def parsed(look: Look) -> Values:
    """``{present, yaml_ok, problem, line, column, empty, version, version_ok, os, os_ok, bom}`` of the AppSpec.

    It is appspec.yml or appspec.yaml at the root of the revision. ``problem``, ``line`` and ``column`` (from 1) are of
    the first syntax error. A link is followed as the agent does, as long as it stays in the revision. ``version`` and
    ``os`` are the texts as written, "" for none. The agent takes the number 0 alone as version, and the text linux
    alone as os (application_specification.rb:60-80). A byte order mark hides all keys but the first from it, so then
    ``os_ok`` is False. All but ``present`` is None where there is none under these names, and after a syntax error what
    comes later.
    """
    raw = find(look.host, of_finding(look.host, look.about))
    if raw is None:
        return {"present": False, **_UNREAD}
    from agentdoctor.appspec.reading import read

    document = read(raw)
    seen: Values = {**_UNREAD, "present": True, "bom": document.bom, "yaml_ok": document.syntax is None}
    if document.syntax:
        wrong = document.syntax
        return {**seen, "problem": wrong.problem[:200], "line": wrong.line, "column": wrong.column}
    return {**seen, "problem": "", **_judged(document)}


def _judged(document: Document) -> Values:
    """What agent 1.x makes of an AppSpec that is YAML; of an empty one it sees nothing else."""
    wrong = {problem.rule for problem in _of_ruby(document)}
    told = {key: value(document.root, key) for key in ("version", "os")}
    empty = "appspec-empty" in wrong
    return {
        "empty": empty,
        "version": _text(told["version"]),
        "version_ok": _is_table(document) and "appspec-version-invalid" not in wrong,
        "os": _text(told["os"]),
        "os_ok": _is_table(document) and "appspec-os-unsupported" not in wrong,
    }


def _of_ruby(document: Document) -> list[Problem]:
    from agentdoctor.appspec.finding import RUBIES
    from agentdoctor.appspec.refusals import refusals

    return [problem for problem in refusals(document) if set(problem.targets) & set(RUBIES)]


def _is_table(document: Document) -> bool:
    return document.root is not None and document.root.kind == "map"


def _text(node: Node | None) -> str:
    return node.text[:_SHOWN] if node is not None and node.kind == "scalar" else ""


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
    return {
        "archive": archive,
        "key": found[0].key[:_SHOWN] if found else "",
        "place": found[0].place if found else "",
        "line": found[0].line if found else 0,
        "meant": found[0].meant if found else "",
        "count": sum(len(keys) for _, keys in seen),
    }


def _keys(look: Look, group: str) -> tuple[str, list[Ignored]] | None:
    """A group's archive and what its AppSpec says in vain; None where there is nothing that could be read."""
    try:
        archive = pointed(look.host, group, LAST_UNPACKED)
    except CannotLook:  # torn by a full disk, or of another deployment root
        return None
    try:
        raw = find(look.host, archive) if archive and is_directory(look.host, archive) else None
    except LeadsOut:
        return None
    if raw is not None and usual(raw):
        return archive, []
    from agentdoctor.appspec.ignored import ignored
    from agentdoctor.appspec.reading import read

    document = read(raw) if raw is not None else None
    return (archive, ignored(document.root)) if document and document.root and not document.root.null else None
