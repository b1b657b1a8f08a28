"""From an open file to pieces: one block at a time into one buffer, and nothing counts before it was looked at again.

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


class Reader:
    """Reads files into one buffer and offers what it finds."""

    def __init__(self) -> None:
        self.buffer = bytearray(b"\n") + bytes(BLOCK)  # a piece begins with a line break, and is copied once
        self.whole = memoryview(self.buffer)
        self.view = self.whole[1:]

    def turn(
        self, file: File, generation: Generation, kind: str, path: str, settled: bool, consume: Consume
    ) -> Outcome:
        """Offer what a file holds after the generation's offset, up to TURN bytes of it."""
        for _ in range(TURN // BLOCK):
            count = file.fill(self.view, generation.offset)
            if not file.holds(generation, bytes(self.view[: min(count, WINDOW)])):
                return Outcome.CHANGED
            if not count:
                return Outcome.DONE
            if self.view[0] == 0:
                text = self._after_nuls(file, generation.offset)
                if text is None:
                    return Outcome.MORE if file.blank < file.status.st_size else Outcome.DONE
                generation.advance_nuls(text - generation.offset)
            elif generation.skipping:
                self._skip(generation, count)
            else:
                taken_all = self._offer(generation, kind, path, count, settled, consume)
                if count < BLOCK:
                    return Outcome.DONE if taken_all else Outcome.HELD
        return Outcome.MORE

    def _after_nuls(self, file: File, offset: int) -> int | None:
        """Where text goes on after NULs; None if it does not, or is not found in one turn.

        NULs up to the end are not passed over: they may be room that is reserved for text. Holes are, but not for
        long where room was reserved: what was read of that counts as data.
        """
        position = max(offset, file.blank)
        for _ in range(TURN // BLOCK):
            position = _data(file.descriptor, position)
            count = file.fill(self.view, position)
            text = bytes(self.view[:count]).lstrip(b"\0")
            if text:
                return position + count - len(text)
            position += count
            file.blank = position
            if count < BLOCK:
                file.blank = max(position, file.status.st_size)
                return None
        return None

    def _skip(self, generation: Generation, count: int) -> None:
        """Pass over the rest of a line that is too long."""
        end = max(0, self.buffer.find(b"\n", 1, count + 1))
        generation.advance(bytes(self.view[: end or count]))
        generation.skipping = not end

    def _offer(self, generation: Generation, kind: str, path: str, count: int, settled: bool, consume: Consume) -> bool:
        """Offer the whole lines of a block, and of a line that fills it the beginning. Whether all was taken."""
        full = count == BLOCK
        end = max(0, self.buffer.rfind(b"\n", 1, count + 1))  # of the lines, which begin behind the first break
        if not end and not full:
            return True
        size = end or count
        text = bytes(self.whole[: size + 1])
        whole = not end or (settled and not full)
        taken = consume(Piece(kind, path, generation.offset, text, whole, full))
        if taken <= 0 and full and not whole:  # one entry alone fills the block
            whole = True
            consume(Piece(kind, path, generation.offset, text, whole, full))
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
