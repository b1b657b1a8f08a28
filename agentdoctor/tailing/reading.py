"""From an open file to pieces: one block at a time, and nothing counts before the file was looked at again.

A log can be truncated and written anew while it is read. So after each read the file must still begin and go on as
it did; else what was read is thrown away.
"""

from __future__ import annotations

import errno
import os
from enum import Enum

from agentdoctor.tailing.files import File
from agentdoctor.tailing.generation import WINDOW, Generation
from agentdoctor.tailing.model import Consume, Piece

BLOCK = 128 * 1024  # of a size that stays in the processor's cache
TURN = 1 << 20  # bytes of one file in one turn, so that no log waits for another


class Outcome(Enum):
    """How a turn at a file ended."""

    DONE = "read to its end"
    HELD = "read to its end, and part was not taken"
    MORE = "there is more"
    CHANGED = "it is another file by now"


def turn(file: File, generation: Generation, kind: str, path: str, settled: bool, consume: Consume) -> Outcome:
    """Offer what a file holds after the generation's offset, up to TURN bytes of it."""
    for _ in range(TURN // BLOCK):
        text = _block(file, generation.offset)
        count = len(text) - 1
        if not file.holds(generation, text[1 : WINDOW + 1]):
            return Outcome.CHANGED
        if not count:
            return Outcome.DONE
        if text[1] == 0:
            begin = _after_nuls(file, generation.offset)
            if begin is None:
                return Outcome.MORE if file.blank < file.status.st_size else Outcome.DONE
            generation.advance_nuls(begin - generation.offset)
        elif generation.skipping:
            _skip(generation, text)
        else:
            taken_all = _offer(generation, kind, path, text, settled, consume)
            if count < BLOCK:
                return Outcome.DONE if taken_all else Outcome.HELD
    return Outcome.MORE


def _block(file: File, offset: int) -> bytes:
    """A line break and then what follows an offset. In the file a line break is what stands before it, mostly."""
    if not offset:
        return b"\n" + file.following(BLOCK, 0)
    text = file.following(BLOCK + 1, offset - 1)
    return text if text[:1] == b"\n" else b"\n" + text[1:]


def _after_nuls(file: File, offset: int) -> int | None:
    """Where text goes on after NULs; None if it does not, or is not found in one turn.

    NULs up to the end are not passed over: they may be room that is reserved for text. Holes are, but not for
    long where room was reserved: what was read of that counts as data.
    """
    position = max(offset, file.blank)
    for _ in range(TURN // BLOCK):
        position = _data(file.descriptor, position)
        block = file.following(BLOCK, position)
        text = block.lstrip(b"\0")
        position += len(block)
        if text:
            return position - len(text)
        file.blank = position
        if len(block) < BLOCK:
            file.blank = max(position, file.status.st_size)
            return None
    return None


def _skip(generation: Generation, text: bytes) -> None:
    """Pass over the rest of a line that is too long."""
    rest, end, _ = text[1:].partition(b"\n")
    generation.advance(rest + end)
    generation.skipping = not end


def _offer(generation: Generation, kind: str, path: str, text: bytes, settled: bool, consume: Consume) -> bool:
    """Offer the whole lines of a block, and of a line that fills it the beginning. Whether all was taken."""
    full = len(text) - 1 == BLOCK
    end = text.rfind(b"\n")  # of the lines, which begin behind the first break
    if not end and not full:
        return True
    size = end or BLOCK
    whole = not end or (settled and not full)
    taken = consume(Piece(kind, path, generation.offset, text, size, whole, full))
    if taken <= 0 and full and not whole:  # one entry alone fills the block
        whole = True
        consume(Piece(kind, path, generation.offset, text, size, whole, full))
    done = size if whole else max(0, taken)
    generation.advance(memoryview(text)[1 : done + 1])
    generation.skipping = not end
    return whole or taken >= size


def _data(descriptor: int, position: int) -> int:
    """Where data begins, from a position on; the end of the file if there is none."""
    try:
        return os.lseek(descriptor, position, os.SEEK_DATA)
    except OSError as error:
        if error.errno == errno.ENXIO:
            return max(position, os.fstat(descriptor).st_size)
        return position  # the file system knows no holes
