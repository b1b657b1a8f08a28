"""What lint can put right by itself: changes of single files, each of which means what was meant and nothing more."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from agentdoctor.appspec.finding import Problem
from agentdoctor.bundle.place import NAME

_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Change:
    """A file as it is and as it should be. Paths are relative to the directory; ``mode`` are permission bits."""

    path: str
    before: bytes
    mode: int
    new_path: str
    after: bytes
    new_mode: int


# The content and the permission bits of a regular file; None if it is none, or is not to be had.
Read = Callable[[str], tuple[bytes, int] | None]


def changes(problems: Sequence[Problem], appspec: str, read: Read) -> Iterator[Change]:
    """For the problems that nobody allows. ``appspec`` is the path of the AppSpec, "" if there is none."""
    active = [problem for problem in problems if not problem.allowed]
    paths = dict.fromkeys([appspec] if appspec else [])
    paths |= dict.fromkeys(problem.path for problem in active if problem.rule.startswith("script-") and problem.path)
    for path in paths:
        found = read(path)
        if found is None:
            continue
        content, mode = found
        own = [problem for problem in active if problem.path == path]
        if path == appspec:
            change = Change(path, content, mode, _named(path, own), _spec(content, own), mode)
        else:
            change = Change(path, content, mode, path, _script(content, own), _mode(mode, own))
        if (change.path, change.before, change.mode) != (change.new_path, change.after, change.new_mode):
            yield change


def _named(path: str, problems: Sequence[Problem]) -> str:
    if any(problem.rule == "appspec-misnamed" for problem in problems):
        return posixpath.join(posixpath.dirname(path), NAME)
    return path


def _script(content: bytes, problems: Sequence[Problem]) -> bytes:
    """With the line endings of Linux, and its interpreter at the very beginning."""
    rules = {problem.rule for problem in problems}
    if "script-interpreter-invalid" in rules and content.startswith(_BOM):
        content = content[len(_BOM) :]
    return content.replace(b"\r\n", b"\n") if "script-line-endings" in rules else content


def _mode(mode: int, problems: Sequence[Problem]) -> int:
    """Executable for those who may read it."""
    return mode | (mode & 0o444) >> 2 if any(p.rule == "script-not-executable" for p in problems) else mode


# By the rule of a problem: what must stand before the place, what there, and what is meant.
_MODE_KEY, _ANY = re.compile(r"""\bmode["']?[ \t]*:[ \t]+$"""), re.compile("")
_END = r"(?=[\s,}\]]|$)"
_VALUES: dict[str, tuple[re.Pattern[str], re.Pattern[str], str]] = {
    "appspec-permissions-invalid": (_MODE_KEY, re.compile(rf"0?o?([0-7]{{3,4}}){_END}"), r'"\g<0>"'),
    "appspec-version-invalid": (_ANY, re.compile(rf"""(["'])0\.0\1{_END}"""), "0.0"),
    "appspec-os-unsupported": (_ANY, re.compile(rf"""(["']?)(?i:linux)\1{_END}"""), "linux"),
}


def _spec(content: bytes, problems: Sequence[Problem]) -> bytes:
    """Without byte order mark and CR, and with the values that are meant, where they stand as they are seen."""
    try:
        rows = content.decode("utf-8").split("\n")
    except UnicodeDecodeError:
        return content
    places = {(p.line, p.column): p.rule for p in problems if p.rule in _VALUES and p.line and p.column}
    for (line, column), rule in sorted(places.items(), reverse=True):  # from the end, so that no column moves
        if line <= len(rows):
            rows[line - 1] = _value(rows[line - 1], column - 1, *_VALUES[rule])
    return "\n".join(rows).encode().removeprefix(_BOM).replace(b"\r\n", b"\n")


def _value(row: str, at: int, before: re.Pattern[str], wrong: re.Pattern[str], right: str) -> str:
    found = wrong.match(row, at)
    if not found or not before.search(row[:at]):
        return row
    meant = found.expand(right).replace('"0o', '"0').replace('"o', '"0')
    return row[:at] + meant + row[found.end() :]
