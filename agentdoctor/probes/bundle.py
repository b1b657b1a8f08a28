"""The downloaded bundle of a deployment: of which kind is it, and is it whole."""

from __future__ import annotations

import re

from agentdoctor import layout
from agentdoctor.probes import CannotLook, Look, Values, probe

_ID = re.compile(r"d-[A-Z0-9]{9}")
_READ_LIMIT = 32 << 20  # bytes; a larger archive is not read through within the time of a probe
_ZIP, _GZIP, _TAR = "zip", "gzip", "tar"


@probe("bundle.file", source="disk", live=False, about=("deployment_id", "expected"))
def file(look: Look) -> Values:
    """``{present, size, kind, fits, whole}`` of bundle.tar, which is its name whatever its type (agent.md 1.2).

    ``kind`` by its first bytes: zip, gzip, tar, empty or other. ``fits`` tells whether the unpacker that the log
    names (``expected``: tar or Zip) can read that kind: tar reads gzip too. ``whole`` is None for one too large to
    be read through, or of another kind.
    """
    path = _path(look)
    if path is None:
        return {"present": False, "size": 0, "kind": "", "fits": None, "whole": None}
    with open(path, "rb") as bundle:
        head = bundle.read(512)
        size = bundle.seek(0, 2)
    kind = _kind(head)
    unpacker = {"zip": (_ZIP,), "tar": (_GZIP, _TAR)}.get(look.about["expected"].lower(), ())
    return {
        "present": True,
        "size": size,
        "kind": kind,
        "fits": kind in unpacker,
        "whole": _whole(path, kind) if size <= _READ_LIMIT else None,
    }


def _path(look: Look) -> str | None:
    """Where the bundle lies: the log says which deployment, and not of which group."""
    id_ = look.about["deployment_id"]
    if not _ID.fullmatch(id_):
        raise CannotLook("the log names no deployment")
    root = layout.read(look.host).root_dir
    for group in look.host.listing(root):
        absolute = f"{root}/{group}/{id_}/bundle.tar"
        if look.host.exists(absolute):
            return look.host.path(absolute)
    return None


def _kind(head: bytes) -> str:
    if not head:
        return "empty"
    if head[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
        return _ZIP
    if head[:2] == b"\x1f\x8b":
        return _GZIP
    return _TAR if head[257:262] == b"ustar" else "other"


def _whole(path: str, kind: str) -> bool | None:
    """Whether every entry can be read to its end; nothing is unpacked."""
    import tarfile
    import zipfile
    import zlib

    try:
        if kind == _ZIP:
            with zipfile.ZipFile(path) as archive:
                return archive.testzip() is None
        if kind in (_GZIP, _TAR):
            with tarfile.open(path) as archive:
                return all(member is not None for member in archive)
    except (zipfile.BadZipFile, tarfile.TarError, EOFError, zlib.error, NotImplementedError, RuntimeError):
        return False
    return False if kind == "empty" else None
