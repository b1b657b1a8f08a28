"""Reading an archive that came from somebody: it is unpacked with distrust, into a place of our own, for a while."""

from __future__ import annotations

import contextlib
import gzip
import io
import os
import shutil
import tarfile
import tempfile
import zlib
from collections.abc import Iterator

from agentdoctor.record import RECORD_FILE

MEMBERS = 100_000
MEMBER_LIMIT = 32 << 20  # bytes of one file; a log has 8 MB at most, the record of a large host some
TOTAL_LIMIT = 128 << 20  # bytes of the archive when unpacked; a snapshot holds 64 MB of files at most
DEPTH = 64
_PLAIN = (tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.DIRTYPE)
_BROKEN = (tarfile.TarError, EOFError, zlib.error, UnicodeError, OverflowError, ValueError, RecursionError, OSError)


class NotASnapshot(ValueError):
    """An archive that is broken, hostile or something else, and why."""


@contextlib.contextmanager
def opened(path: str) -> Iterator[str]:
    """The root of an unpacked snapshot; it is gone afterwards. OSError if the file cannot be opened, NotASnapshot."""
    with open(path, "rb") as file:
        place = tempfile.mkdtemp(prefix="agentdoctor-")
        try:
            yield os.path.join(place, _unpack(file, place))
        finally:
            shutil.rmtree(place, ignore_errors=True)


class _Bounded(io.RawIOBase):
    """What is unpacked from gzip, as far as the limit: a few kB may hold terabytes."""

    def __init__(self, packed: gzip.GzipFile) -> None:
        self._packed, self._left = packed, TOTAL_LIMIT

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        if size < 0 or size > MEMBER_LIMIT or self._left <= 0:
            raise NotASnapshot("it is larger than a snapshot can be")
        part = self._packed.read(size)
        self._left -= len(part)
        return part


def _unpack(file: io.BufferedIOBase, place: str) -> str:
    """Unpack all members below a directory; the name of the folder that they are in."""
    folders: dict[str, float] = {}
    tops: set[str] = set()
    try:
        with (
            gzip.GzipFile(fileobj=file, mode="rb") as packed,
            tarfile.open(fileobj=_Bounded(packed), mode="r|") as archive,
        ):
            for number, member in enumerate(archive):
                parts = _checked(member, number)
                tops.add(parts[0])
                _put(archive, member, os.path.join(place, *parts))
                if member.isdir():
                    folders[os.path.join(place, *parts)] = member.mtime
        for folder in sorted(folders, reverse=True):
            os.utime(folder, (folders[folder], folders[folder]))
    except NotASnapshot:
        raise
    except _BROKEN as error:
        raise NotASnapshot(f"it cannot be unpacked: {getattr(error, 'strerror', None) or error}") from None
    (top, *more) = tops or {""}
    if more or not os.path.isfile(os.path.join(place, top, RECORD_FILE)):
        raise NotASnapshot(f"it is no snapshot of agentdoctor: there is no {RECORD_FILE} in it")
    return top


def _checked(member: tarfile.TarInfo, number: int) -> list[str]:
    """The parts of a member's path. NotASnapshot for what a snapshot never holds."""
    parts = member.name.rstrip("/").split("/")
    if number >= MEMBERS or len(parts) > DEPTH:
        raise NotASnapshot("it holds more than a snapshot can hold")
    if any(part in ("", ".", "..") for part in parts) or "\0" in member.name:
        raise NotASnapshot("it holds a path that leads out of it")
    if member.type not in _PLAIN or member.issparse():
        raise NotASnapshot("it holds something else than files and directories")
    if not 0 <= member.size <= MEMBER_LIMIT:
        raise NotASnapshot("it is larger than a snapshot can be")
    return parts


def _put(archive: tarfile.TarFile, member: tarfile.TarInfo, target: str) -> None:
    """Make a directory or a file. Nothing here makes a link, so no path can lead elsewhere."""
    if member.isdir():
        os.makedirs(target, mode=0o700, exist_ok=True)
        return
    os.makedirs(os.path.dirname(target), mode=0o700, exist_ok=True)
    source = archive.extractfile(member)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(target, flags, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        if source:
            shutil.copyfileobj(source, file)
        os.fchmod(descriptor, (member.mode & 0o777) | 0o600)
    os.utime(target, (member.mtime, member.mtime))
