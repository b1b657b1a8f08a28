"""The unpacked revision of a deployment. Its path comes from a log, which strangers write, so it is checked first."""

from __future__ import annotations

import difflib
import os
from collections.abc import Sequence
from dataclasses import dataclass

from agentdoctor.host import Host
from agentdoctor.probes import Look, Values, probe
from agentdoctor.probes._archive import checked, is_directory

_NAMES = ("appspec.yml", "appspec.yaml")
_ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz")
# Files of others, thousands of them, among which an AppSpec would not be the one that is meant.
_SKIPPED = ("__MACOSX", "node_modules", ".git")
_DEPTH, _ENTRIES = 3, 2000


@dataclass(frozen=True)
class Folder:
    """Names in a directory. ``total`` counts links and the like as well, which are never followed."""

    files: tuple[str, ...]
    folders: tuple[str, ...]
    total: int


@probe("revision.appspec", source="disk", live=False, about=("archive",))
def appspec(look: Look) -> Values:
    """``{present, exact, near, nested, entries, link}`` of the deployment-archive directory ``archive``.

    ``near`` is the nearest wrong name at its root, ``nested`` the relative path of an AppSpec below it or of the
    single archive that lies there instead of it; both are "" when the AppSpec is where it belongs, and
    ``nested`` is None when there was too much to look through. ``entries`` counts the root. ``link``: where
    appspec.yml leads if it is a link, else "". The agent follows it, so that one to a file is ``exact``.
    """
    archive = checked(look.host, look.about["archive"])
    if not is_directory(look.host, archive):
        return {"present": False, "exact": False, "near": "", "nested": "", "entries": 0, "link": ""}
    place = look.host.path(archive)
    root = _folder(place)
    linked, link = _link(look.host, f"{archive}/{_NAMES[0]}")
    exact = linked or _NAMES[0] in root.files
    nested = "" if exact else _below(place, root)
    return {
        "present": True,
        "exact": exact,
        "near": "" if exact else _printable(near(root.files)),
        "nested": None if nested is None else _printable(nested or ("" if exact else lone(root))),
        "entries": root.total,
        "link": _printable(link)[:200],
    }


def _link(host: Host, path: str) -> tuple[bool, str]:
    """Whether a link to a file stands there, and where it leads. PermissionError if that is out of a copied tree."""
    archive, name = os.path.split(path)
    try:
        target = os.readlink(os.path.join(host.path(archive), name))
    except OSError:  # no link, or nothing
        return False, ""
    return host.is_file(path), target


def near(names: Sequence[str]) -> str:
    """The name that is most likely meant to be appspec.yml; "" if none is like it."""
    for wanted in _NAMES:
        for name in names:
            if name.lower() == wanted:
                return name
    # 0.85 keeps spec.yml, app.yml and buildspec.yml out
    like = [name for name in names if name.lower().startswith("appspec") or _likeness(name) >= 0.85]
    return min(like, key=lambda name: (-_likeness(name), name), default="")


def _likeness(name: str) -> float:
    return max(difflib.SequenceMatcher(None, name.lower(), wanted).ratio() for wanted in _NAMES)


def lone(root: Folder) -> str:
    """The archive that is all there is in a directory: a revision that was packed twice. "" if there is none."""
    files = [name for name in root.files if not name.startswith(".")]
    folders = [name for name in root.folders if name not in _SKIPPED]
    alone = len(files) == 1 and not folders and files[0].lower().endswith(_ARCHIVES)
    return files[0] if alone else ""


def _below(place: str, root: Folder) -> str | None:
    """The relative path of the AppSpec nearest to the root, "" for none, None when the limit cut the search."""
    level = [name for name in root.folders if name not in _SKIPPED]
    seen = root.total
    for _ in range(_DEPTH):
        deeper = []
        for relative in level:
            folder = _folder(os.path.join(place, relative))
            for name in _NAMES:
                if name in folder.files:
                    return f"{relative}/{name}"
            seen += folder.total
            if seen > _ENTRIES:
                return None
            deeper += [f"{relative}/{name}" for name in folder.folders if name not in _SKIPPED]
        level = deeper
    return ""


def _folder(path: str) -> Folder:
    files, folders, total = [], [], 0
    with os.scandir(path) as entries:
        for entry in entries:
            total += 1
            if entry.is_dir(follow_symlinks=False):
                folders.append(entry.name)
            elif entry.is_file(follow_symlinks=False):
                files.append(entry.name)
    return Folder(tuple(sorted(files)), tuple(sorted(folders)), total)


def _printable(name: str) -> str:
    """A file name may be any bytes; evidence is text that JSON and UTF-8 can carry."""
    return name.encode("utf-8", "replace").decode("utf-8")
