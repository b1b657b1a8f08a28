"""A snapshot as a .tar.gz: for its owner alone, in a fixed order, with nothing in it of the host that writes it."""

from __future__ import annotations

import contextlib
import gzip
import io
import os
import re
import tarfile
import time

from agentdoctor.snapshot.files import Item
from agentdoctor.snapshot.taking import Snapshot


def name(snapshot: Snapshot) -> str:
    """Of the folder in the archive, and the usual one of the archive: agentdoctor-HOST-YYYYmmddTHHMMSSZ."""
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(snapshot.taken_at))
    return f"agentdoctor-{re.sub(r'[^A-Za-z0-9.-]+', '', snapshot.name)[:80] or 'host'}-{stamp}"


def write(snapshot: Snapshot, path: str) -> None:
    """Write the archive, which must not exist; one that could not be finished is taken away. OSError."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
    descriptor = os.open(path, flags, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            pack(snapshot, file)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(path)
        raise


def pack(snapshot: Snapshot, file: io.BufferedIOBase) -> None:
    """The bytes of the archive; the same for the same snapshot."""
    folder = name(snapshot)
    with (
        gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for item in snapshot.items:
            archive.addfile(_member(item, folder, snapshot.taken_at), io.BytesIO(item.content))


def _member(item: Item, folder: str, taken_at: float) -> tarfile.TarInfo:
    member = tarfile.TarInfo(folder + item.path)
    member.type = tarfile.DIRTYPE if item.directory else tarfile.REGTYPE
    member.size, member.mode, member.mtime = len(item.content), item.mode, item.changed or taken_at
    return member
