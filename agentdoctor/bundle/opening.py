"""What lies at a path: a directory, an archive by its first bytes, or an AppSpec alone."""

from __future__ import annotations

import os

from agentdoctor.bundle.entries import Bundle
from agentdoctor.bundle.folders import folder

_GZIP, _ZIPS, _USTAR = b"\x1f\x8b", (b"PK\x03\x04", b"PK\x05\x06"), b"ustar"
_ARCHIVES = (".zip", ".tar", ".tgz", ".tar.gz")


def opened(path: str) -> Bundle | None:
    """The bundle at a path; None if a single file lies there that is no archive. OSError if nothing can be read."""
    if os.path.isdir(path):
        return folder(path)
    if os.path.exists(path) and not os.path.isfile(path):
        return None  # a pipe, as of <(...) in a shell, gives what it holds only once
    kind = _kind(path)
    if kind == "zip":
        from agentdoctor.bundle.zips import zipped

        return zipped(path)
    if not kind:
        return None
    from agentdoctor.bundle.tars import tarred

    return tarred(path, packed=kind == "tgz")


def _kind(path: str) -> str:
    """By its first bytes, as the unpackers of the agent do; a file without such bytes by its name."""
    with open(path, "rb") as file:
        head = file.read(512)
    if head[:4] in _ZIPS:
        return "zip"
    if head[:2] == _GZIP:
        return "tgz"
    if head[257:262] == _USTAR:
        return "tar"
    named = next((ending for ending in _ARCHIVES if path.lower().endswith(ending)), "")
    return {"": "", ".zip": "zip", ".tar": "tar"}.get(named, "tgz")
