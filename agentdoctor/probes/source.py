"""What the files section takes from the unpacked revision."""

from __future__ import annotations

import difflib
import os
import posixpath

from agentdoctor.host import Host
from agentdoctor.probes import CannotLook, Look, Values, probe
from agentdoctor.probes._archive import checked, is_directory, of_finding

_ENTRIES = 20_000
_LIKE = 0.75


@probe("source.file", source="disk", live=False, about=("archive", "source"))
def file(look: Look) -> Values:
    """``{archive_present, exists, near}`` of ``source`` in the deployment-archive directory ``archive``.

    ``near`` is the nearest name beside where it should be, "" if none is like it. Without the archive all else is
    None; ``exists`` is None as well where a copied tree has a link out of it.
    """
    archive = checked(look.host, look.about["archive"])
    relative = posixpath.normpath(look.about["source"].lstrip("/"))
    if relative.startswith("..") or "\0" in relative:
        raise CannotLook("the log names a source outside the revision")
    if not is_directory(look.host, archive):
        return {"archive_present": False, "exists": None, "near": None}
    exists = _exists(look.host, archive, relative)
    near = "" if exists or exists is None else _near(look.host.path(archive), relative)
    return {"archive_present": True, "exists": exists, "near": near}


def _exists(host: Host, archive: str, relative: str) -> bool | None:
    """As the agent would open it: a link to nothing is not there. What a copied tree links out of it is not known."""
    top = os.path.realpath(host.path(archive))
    real = os.path.realpath(os.path.join(top, relative))
    return os.path.exists(real) if host.live or real == top or real.startswith(f"{top}/") else None


def _near(archive: str, relative: str) -> str:
    """The nearest name in the deepest folder of the way that exists."""
    folder, wanted = "", relative.split("/")
    while len(wanted) > 1 and os.path.isdir(os.path.join(archive, folder, wanted[0])):
        if os.path.islink(os.path.join(archive, folder, wanted[0])):
            return ""
        folder = posixpath.join(folder, wanted.pop(0))
    with os.scandir(os.path.join(archive, folder)) as entries:
        names = [entry.name for entry, _ in zip(entries, range(_ENTRIES), strict=False)]
    same = [name for name in names if name.lower() == wanted[0].lower()]
    like = same or difflib.get_close_matches(wanted[0], names[:2000], 1, _LIKE)
    return posixpath.join(folder, like[0]).encode("utf-8", "replace").decode() if like else ""


@probe("source.names", source="disk", live=False, also=("path", "deployment_id", "group_id", "event"))
def names(look: Look) -> Values:
    """``{archive_present, entries, bad, example}``: names in the revision whose bytes are not UTF-8.

    ``bad`` counts them, ``example`` is the path of the first with ? for such bytes; None where there was too
    much to look through and none was found.
    """
    archive = of_finding(look.host, look.about)
    if not is_directory(look.host, archive):
        return {"archive_present": False, "entries": 0, "bad": None, "example": ""}
    seen, bad = 0, []
    top = os.fsencode(look.host.path(archive))
    for folder, folders, files in os.walk(top):
        seen += len(folders) + len(files)
        bad += [os.path.relpath(os.path.join(folder, name), top) for name in folders + files if not _is_text(name)]
        if seen > _ENTRIES:
            break
    whole = bool(bad) or seen <= _ENTRIES
    example = min(bad, default=b"").decode("utf-8", "replace").replace("\ufffd", "?")
    return {"archive_present": True, "entries": seen, "bad": len(bad) if whole else None, "example": example}


def _is_text(name: bytes) -> bool:
    try:
        name.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
