"""A zip as a bundle. Only its table of contents is read, and the first bytes of single entries."""

from __future__ import annotations

import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from agentdoctor.bundle.entries import MOST, RATIO, ROOM, Bundle, Entry, Listing, TooLarge, Unreadable

_DOS, _UNIX = 0, 3  # the system that an entry was made on; others than Unix tell no permission bits
_UTF8 = 0x800  # the flag of an entry whose name is UTF-8
_END, _END_LENGTH, _COMMENT = b"PK\x05\x06", 22, 65_535
_LARGE_END, _LARGE_END_LENGTH = b"PK\x06\x06", 76  # of what ends more than 65,535 entries, and of where it is
_ROW, _ROW_LENGTH = b"PK\x01\x02", 46
_TABLE = 64 << 20  # bytes of the table of contents of 100,000 entries with long names
_LINK_LIMIT = 4096


def zipped(path: str) -> Bundle:
    """The entries of a zip, in a file that has been opened before."""
    listing, wrong, broken, large = Listing(), "", False, False
    moved: list[str] = []
    try:
        with open(path, "rb") as file:
            _check_table(file)
        archive = zipfile.ZipFile(path)  # stays open: to open it again is to read its table again
        infos = {_plain(_name(info)): info for info in archive.infolist()}
        for info in archive.infolist():
            _add(listing, archive, info)
            moved += [_name(info)] if _is_moved(info) else []
        _check_size(archive, os.stat(path).st_size)
    except TooLarge as error:
        wrong, large = str(error), True
    except UnicodeDecodeError:
        wrong = "it says that its names are UTF-8, and they are not"
    except _ERRORS as error:
        wrong, broken = f"it is no whole zip: {error}", True

    def read(wanted: Iterable[Entry], limit: int) -> Iterator[tuple[Entry, bytes]]:
        for entry in wanted:
            content = _content(archive, infos[entry.path], limit)
            if content is not None:
                yield entry, content

    outside = tuple(listing.outside)
    return Bundle(path, "zip", listing.entries, read, outside, wrong, broken, large, tuple(moved))


# What zipfile raises for archives that are broken, or made to break it.
_ERRORS = (
    zipfile.BadZipFile,
    Unreadable,
    EOFError,
    zlib.error,
    NotImplementedError,
    RuntimeError,
    ValueError,
    OverflowError,
    struct.error,
    OSError,  # of a place before the begin of the file
)


def _check_table(file: BinaryIO) -> None:
    """Refuse a table of contents that would fill the memory, before it is read."""
    size = file.seek(0, 2)
    file.seek(max(0, size - _END_LENGTH - _COMMENT))
    tail = file.read()
    at = tail.rfind(_END)
    if at < 0 or len(tail) - at < _END_LENGTH:
        raise Unreadable("the end of its table of contents is missing")
    length, at = struct.unpack_from("<I", tail, at + 12)[0], size - len(tail) + at
    file.seek(max(0, at - _LARGE_END_LENGTH))
    large = file.read(_LARGE_END_LENGTH)
    if large[:4] == _LARGE_END:
        length, at = struct.unpack_from("<Q", large, 40)[0], at - _LARGE_END_LENGTH
    if length > _TABLE:
        raise TooLarge(f"it has more than {MOST} entries")
    file.seek(max(0, at - length))
    _count(file.read(length))


def _count(table: bytes) -> None:
    """The entries themselves; the number of them that the archive tells may be any."""
    at = 0
    for _ in range(MOST):
        if table[at : at + 4] != _ROW or len(table) < at + _ROW_LENGTH:
            return
        at += _ROW_LENGTH + sum(struct.unpack_from("<3H", table, at + 28))
    if table[at : at + 4] == _ROW:
        raise TooLarge(f"it has more than {MOST} entries")


def _check_size(archive: zipfile.ZipFile, packed: int) -> None:
    total = sum(info.file_size for info in archive.infolist())
    if total > ROOM + RATIO * packed:
        raise TooLarge(f"it unpacks from {packed} to {total} bytes")


def _add(listing: Listing, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> None:
    name = _name(info)
    told = info.external_attr >> 16 if info.create_system == _UNIX else 0
    mode = stat.S_IMODE(told) if told else None
    if info.filename.endswith("/"):  # is_dir() fails on an empty name before Python 3.11
        listing.add(name, "directory", 0, mode)
    elif stat.S_ISLNK(told):
        target = archive.open(info).read(_LINK_LIMIT).decode("utf-8", "replace")
        listing.add(name, "link", 0, mode, target)
    else:
        other = stat.S_IFMT(told) not in (0, stat.S_IFREG)
        listing.add(name, "other" if other else "file", info.file_size, mode)


def _name(info: zipfile.ZipInfo) -> str:
    """The name that the entry has on a host.

    Without the flag for UTF-8 zipfile takes the bytes for those of DOS. unzip leaves the bytes as they are, but where
    the zip says that it was made on DOS.
    """
    if info.flag_bits & _UTF8 or info.filename.isascii() or info.create_system == _DOS:
        return info.filename
    try:
        raw = info.orig_filename.partition("\0")[0].encode("cp437")
    except UnicodeEncodeError:  # newer Pythons take the name from the field for a Unicode one
        return info.filename
    return raw.decode("utf-8", "surrogateescape")


def _is_moved(info: zipfile.ZipInfo) -> bool:
    """Whether unzip (Debian's 6.0-28, in any locale) turns its bytes into those of Latin-1, with the flag and without.

    It believes the newer programs that say so of themselves (4.0, 2.5 and 2.6, fileio.c) to write Latin-1 already.
    """
    return info.create_system == _DOS and not info.filename.isascii() and info.create_version not in (25, 26, 40)


def _plain(name: str) -> str:
    return "/".join(part for part in name.split("/") if part not in ("", "."))


def _content(archive: zipfile.ZipFile, info: zipfile.ZipInfo, limit: int) -> bytes | None:
    """None for what cannot be read, such as an entry with a password."""
    try:
        with archive.open(info) as file:
            return file.read(limit)
    except _ERRORS:
        return None
