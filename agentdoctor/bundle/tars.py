"""A tar, packed with gzip or not, as a bundle: the headers alone, in one go, and content where it is asked for.

Our own reader of headers, because those of a hostile archive may ask for any length of name, and because 10,000 of
them are to be read in the time that tar itself takes. It knows ustar, the long names of GNU and of pax.
"""

from __future__ import annotations

import gzip
import os
import zlib
from collections.abc import Iterable, Iterator
from typing import BinaryIO, NamedTuple

from agentdoctor.bundle.confidential import telling
from agentdoctor.bundle.entries import LONGEST_NAME, RATIO, ROOM, Bundle, Entry, Listing, TooLarge, Unreadable, inside

_BLOCK = 512
_PIECE = 1 << 18  # bytes that are passed over at a time
_KINDS = {b"0": "file", b"\0": "file", b"7": "file", b"5": "directory", b"2": "link", b"S": "file", b"1": "file"}
_HEAD = 1 << 16  # bytes of a file that are kept as they pass by, if it may be asked for
_KEPT = 8 << 20  # bytes that are kept of all of them
_LONG = 1 << 16  # bytes of a long name or of what pax says of an entry
_SCRIPT, _SPECS = b"#!", (".yml", ".yaml")
_GZIP_ERRORS = (EOFError, zlib.error, gzip.BadGzipFile)


class _Header(NamedTuple):
    name: str
    kind: bytes
    size: int
    mode: int
    target: str


class _Stream:
    """Bytes in order, and how many of them there may be."""

    def __init__(self, file: BinaryIO, most: int, seeks: bool) -> None:
        self._file, self._most, self._seeks = file, most, seeks
        self.at = 0

    def take(self, size: int) -> bytes:
        """So many bytes, fewer at the end."""
        taken = self._file.read(size)
        self._count(len(taken))
        return taken

    def skip(self, size: int) -> None:
        """Pass over so many bytes."""
        self._count(size)
        if self._seeks:
            self._file.seek(size, os.SEEK_CUR)
            return
        while size > 0:
            read = len(self._file.read(min(size, _PIECE)))
            if not read:
                raise Unreadable("its end is missing")
            size -= read

    def _count(self, size: int) -> None:
        self.at += size
        if self.at > self._most and self._seeks:
            raise Unreadable("its end is missing")
        if self.at > self._most:
            raise TooLarge(f"it unpacks to more than {self._most} bytes")


def tarred(path: str, packed: bool) -> Bundle:
    """The entries of a tar. OSError if the file cannot be read."""
    listing, wrong, broken, large = Listing(), "", False, False
    kept: dict[int, bytes] = {}
    try:
        for header, begin in _members(path, packed, kept):
            kind = _KINDS.get(header.kind, "other")
            size, mode, at = header.size, header.mode & 0o7777, begin
            first = listing.entries.get(inside(header.target) or "") if header.kind == b"1" else None
            if first:  # another name of a file, which holds no content of its own
                size, at = first.size, first.at
            listing.add(header.name, kind, size, mode, header.target if kind == "link" else "", at)
    except TooLarge as error:
        wrong, large = str(error), True
    except (Unreadable, *_GZIP_ERRORS) as error:
        wrong, broken = f"it is no whole tar: {error}", True

    def read(wanted: Iterable[Entry], limit: int) -> Iterator[tuple[Entry, bytes]]:
        files = list(wanted)
        if all(entry.at in kept for entry in files):
            yield from ((entry, kept[entry.at][:limit]) for entry in files)
        else:
            yield from _contents(path, packed, files, limit)

    kind = "tgz" if packed else "tar"
    return Bundle(path, kind, listing.entries, read, tuple(listing.outside), wrong, broken, large)


def _opened(path: str, packed: bool) -> tuple[BinaryIO, int]:
    """The unpacked bytes, and how many there may be."""
    size = os.stat(path).st_size
    if packed:
        return gzip.open(path), ROOM + RATIO * size  # type: ignore[return-value]
    return open(path, "rb"), size


def _members(path: str, packed: bool, kept: dict[int, bytes]) -> Iterator[tuple[_Header, int]]:
    """Each entry and where its content begins in the unpacked bytes.

    To unpack once more for a script takes as long as the first time, so what looks like one is ``kept``, by its place.
    """
    file, most = _opened(path, packed)
    left = _KEPT if packed else 0
    with file:
        stream = _Stream(file, most, seeks=not packed)
        long: dict[str, str] = {}
        while (header := _header(stream)) is not None:
            if header.kind in (b"L", b"K", b"x", b"g"):
                long.update(_said(stream, header))
                continue
            size = int(long["size"]) if long.get("size", "").isdigit() else header.size
            named = header._replace(
                name=long.get("path", header.name), target=long.get("linkpath", header.target), size=size
            )
            long = {}
            at = stream.at
            yield named, at
            if header.kind in b"12345":
                continue
            if 0 < size <= min(_HEAD, left):
                content = stream.take(size)
                if content.startswith(_SCRIPT) or named.name.endswith(_SPECS) or telling(named.name):
                    kept[at], left = content, left - size
            stream.skip(at + _padded(size) - stream.at)
        while packed and stream.take(_PIECE):
            pass  # what follows the last entry is nothing, but that gzip ends as it should is known only there


def _padded(size: int) -> int:
    return -(-size // _BLOCK) * _BLOCK


def _header(stream: _Stream) -> _Header | None:
    """The next header; None at the end, which is a block of zeros."""
    block = stream.take(_BLOCK)
    if not block.strip(b"\0"):
        if not stream.at:
            raise Unreadable("it is empty")
        return None
    if len(block) < _BLOCK:
        raise Unreadable("its end is missing")
    if _number(block[148:156]) != sum(block) - sum(block[148:156]) + 8 * 32:
        raise Unreadable(f"there is no header at byte {stream.at - _BLOCK}")
    name = _text(block[:100])
    if block[257:262] == b"ustar" and block[262:263] == b"\0" and block[345:500].strip(b"\0"):
        name = f"{_text(block[345:500])}/{name}"
    size = _number(block[124:136])
    return _Header(name, block[156:157], size, _number(block[100:108]), _text(block[157:257]))


def _number(field: bytes) -> int:
    """Octal digits, or the form of GNU for what is too large for them."""
    if field[0] & 0x80:
        return int.from_bytes(bytes([field[0] & 0x7F]) + field[1:], "big")
    digits = field.strip(b"\0 ") or b"0"
    if digits.translate(None, b"01234567"):
        raise Unreadable("a number in a header is none")
    return int(digits, 8)


def _text(field: bytes) -> str:
    return field.partition(b"\0")[0].decode("utf-8", "surrogateescape")


def _said(stream: _Stream, header: _Header) -> dict[str, str]:
    """What such a block says of the next entry: its name, the target of its link, its size."""
    if header.size > _LONG:
        raise Unreadable(f"it has a name of {header.size} bytes")
    content = stream.take(_padded(header.size))[: header.size]
    if header.kind in (b"L", b"K"):
        return {"path" if header.kind == b"L" else "linkpath": _text(content)[: LONGEST_NAME + 1]}
    return _pax(content) if header.kind == b"x" else {}


def _pax(content: bytes) -> dict[str, str]:
    """Lines of the form ``27 path=name``, in which the number counts the bytes of the line."""
    found: dict[str, str] = {}
    while content:
        length = content.partition(b" ")[0]
        if not length.isdigit() or not 0 < int(length) <= len(content):
            return found
        line, content = content[: int(length)], content[int(length) :]
        key, _, value = line.partition(b" ")[2].rstrip(b"\n").partition(b"=")
        found[key.decode("ascii", "replace")] = value.decode("utf-8", "surrogateescape")
    return found


def _contents(path: str, packed: bool, wanted: list[Entry], limit: int) -> Iterator[tuple[Entry, bytes]]:
    """In the order of the archive, so that a packed one is unpacked once, up to the last of them."""
    file, most = _opened(path, packed)
    with file:
        stream = _Stream(file, most, seeks=not packed)
        at, content = -1, b""
        for entry in sorted(wanted, key=lambda entry: entry.at):
            try:
                if entry.at != at:
                    stream.skip(entry.at - stream.at)
                    at, content = entry.at, stream.take(min(entry.size, limit))
            except (Unreadable, *_GZIP_ERRORS):
                return
            yield entry, content
