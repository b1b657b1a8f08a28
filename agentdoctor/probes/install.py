"""The place where Install wanted to put a file."""

from __future__ import annotations

import os
import posixpath
import stat

from agentdoctor import layout
from agentdoctor.host import Host
from agentdoctor.probes import CannotLook, Look, Values, probe

_LIST_LIMIT = 8 << 20  # a line per installed path: some 80,000 files
_KINDS = ((stat.S_ISLNK, "link"), (stat.S_ISDIR, "directory"), (stat.S_ISREG, "file"))


@probe("install.target", source="disk", about=("path",))
def target(look: Look) -> Values:
    """``{exists, kind, listed, lists}`` of ``path``.

    ``kind`` is file, directory, link, other or "". ``listed``: one of the agent's ``<group>-cleanup`` files has
    it as a line, so an earlier Install of the agent made it and the next one will remove it first
    (installer.rb); None when a list is too long to be read whole. ``lists`` counts those files.
    """
    path = look.about["path"]
    if not path.startswith("/") or posixpath.normpath(path) != path or "\0" in path:
        raise CannotLook("the log names a path that is not absolute and plain")
    kind = _kind(look.host, path)
    directory = layout.read(look.host).instructions
    lists = [f"{directory}/{name}" for name in _names(look.host, directory) if name.endswith("-cleanup")]
    return {"exists": bool(kind), "kind": kind, "listed": _listed(look.host, path, lists), "lists": len(lists)}


def _kind(host: Host, path: str) -> str:
    try:
        mode = os.lstat(host.path(path)).st_mode
    except (FileNotFoundError, NotADirectoryError):
        return ""
    return next((kind for test, kind in _KINDS if test(mode)), "other")


def _names(host: Host, directory: str) -> list[str]:
    try:
        return host.listing(directory)
    except (FileNotFoundError, NotADirectoryError):
        return []


def _listed(host: Host, path: str, lists: list[str]) -> bool | None:
    whole = True
    for name in lists:
        text = host.read(name, _LIST_LIMIT)
        if f"\n{path}\n" in f"\n{text}\n":
            return True
        whole = whole and len(text.encode()) < _LIST_LIMIT
    return False if whole else None
