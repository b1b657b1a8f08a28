"""The generations of one log: which of them a file holds, which are gone, and their rows in the state."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from agentdoctor.tailing.files import File
from agentdoctor.tailing.generation import WINDOW, Generation, Inode, load
from agentdoctor.tailing.reading import TURN

LEAST = 16  # bytes that are enough to know a beginning by: a time stamp has more
KEPT = 64  # generations that no file holds any more
# A file that is gone must be gone twice: a rename between two looks hides it from one.
LOOKS = 2


class Table:
    """Generations by number. ``rows``: the text of each, as the state had it."""

    def __init__(self, rows: Mapping[int, str]) -> None:
        loaded = [load(number, text) for number, text in sorted(rows.items())]
        self.generations = {each.number: each for each in loaded if each is not None}
        self.last = max(rows, default=0)

    def new(self) -> Generation:
        """One of which nothing was read yet; it is kept from when something was."""
        self.last += 1
        return Generation(self.last)

    def keep(self, generation: Generation) -> None:
        """Remember it, if something of it was read."""
        if generation.offset:
            self.generations[generation.number] = generation

    def rows(self) -> dict[int, str]:
        """The text of each for the state."""
        return {number: each.text() for number, each in self.generations.items()}

    def identify(self, file: File, others: Mapping[Inode, File]) -> None:
        """Find the generation that a file holds; a new one if it holds none. ``others``: all open files.

        Of several it is the one of a log that still stands there with all that the file holds; then the longest: what
        two files begin with says less than how they go on.
        """
        before, size = file.windows(), file.status.st_size
        if not size and not file.was_live:  # a copy that is being made may be one of anything
            file.generation = file.copying = None
            return
        found = [each for each in self._newest() if each.same(before, size) and _may_be(each, file, others)]
        best = max(found, key=lambda each: (_has_source(file, each, others), each.offset), default=None)
        file.copying = None
        if best is None or best.offset < size:  # to be a part of what was read says more than to begin like it
            file.copying = next((each for each in self._newest() if _is_copy(file, each, others)), None)
        if file.copying is not None or not (best or file.was_live or file.is_still()):
            file.generation = None
        elif best is not None:
            file.generation = best
            best.adopt(before)
        elif file.generation is None:
            file.generation = self.new()
        if file.generation is not None and file.live and file.generation.inode != file.inode:
            file.generation.inode = file.inode
            self.keep(file.generation)

    def joined(self, file: File) -> Generation | None:
        """Another generation, unfinished, whose beginning stands in a copy where reading stopped.

        The logging gem appends to a copy that it left behind when it was killed.
        """
        own = file.generation
        if own is None or not own.finished or file.was_live or file.inode == own.inode:
            return None
        after = file.read(WINDOW, own.offset)
        for each in self._newest():
            part = min(len(after), len(each.head))
            if each is not own and not each.finished and part >= LEAST and after[:part] == each.head[:part]:
                return each
        return None

    def join(self, file: File, part: Generation) -> None:
        """Pass over what was read of a generation where it was appended to a copy, if all of that is there."""
        own, size = file.generation, file.status.st_size
        if own is not None and size >= own.offset + part.offset:
            end = own.offset + part.offset
            if file.before(end).endswith(part.tail[-min(WINDOW, part.offset) :]):
                own.start_at(file.before, end)
                self.finish([part])

    def pass_over(self, file: File) -> None:
        """Count what a file holds up to its last line break as read."""
        size = file.status.st_size
        start = max(0, size - TURN)
        end = file.read(size - start, start).rfind(b"\n") + 1  # not what came since
        generation = self.new()
        generation.skipping = not end and start > 0  # the end of a line that nobody wants the end of
        generation.finished, generation.inode = not file.live, file.inode if file.live else None
        generation.start_at(file.before, start + end if end or not start else size)
        file.generation, file.copying, file.pending = generation, None, False
        self.keep(generation)

    def _newest(self) -> list[Generation]:
        return sorted(self.generations.values(), key=lambda each: -each.number)

    def missing(self, seen: Collection[Generation | None]) -> list[Generation]:
        """Those that were to be read on and that no file holds, for the second time. Old ones are forgotten."""
        lost = []
        for each in self.generations.values():
            each.missed = 0 if each.finished or each in seen else each.missed + 1
            if each.missed == LOOKS:
                lost.append(each)
        self.finish(lost)
        gone = [each for each in self.generations.values() if each.finished and each not in seen]
        for each in gone[: max(0, len(gone) - KEPT)]:
            del self.generations[each.number]
        return lost

    def wanted(self) -> bool:
        """Whether one was not found at the last look and must be looked for again."""
        return any(each.missed for each in self.generations.values())

    def finish(self, generations: Iterable[Generation]) -> None:
        """They were rolled away and read to their end."""
        for each in generations:
            if not each.finished:
                each.finish()


def _is_copy(file: File, generation: Generation, others: Mapping[Inode, File]) -> bool:
    """Whether a file is a copy that holds less than was read: it is being made, or it was made too early."""
    size = file.status.st_size
    if file.was_live or file.inode == generation.inode or generation.offset < size:
        return False  # truncated, or not copied from what was read
    sources = [each for each in others.values() if each is not file and _holds(each, generation)]
    if sources and all(_alike(each, file) for each in sources):
        return True
    # a source that was truncated while it was compared says nothing
    return not any(_holds(each, generation) for each in sources) and generation.covers(file.before, size)


def _may_be(generation: Generation, file: File, others: Mapping[Inode, File]) -> bool:
    """Whether equal beginnings are enough.

    Two logs that were made in one second begin with the same header. So a short beginning proves nothing while the
    file that it was read from is there as well, unless all of the other is in that one, as it is in a source.
    """
    if generation.offset >= WINDOW or generation.inode in (None, file.inode):
        return True
    other = others.get(generation.inode) if generation.inode else None
    if other is None:
        return True
    # in this order: it may be truncated meanwhile
    return (not file.live and _alike(other, file)) or not _holds(other, generation)


def _has_source(file: File, generation: Generation, others: Mapping[Inode, File]) -> bool:
    """Whether a generation is that of another log in which all of a file stands."""
    source = others.get(generation.inode) if generation.inode else None
    return source is not None and source is not file and not file.live and _alike(source, file)


def _alike(source: File, file: File) -> bool:
    """Whether a file is a copy of a source, or of its beginning."""
    size = file.status.st_size
    return all(source.before(part) == file.before(part) for part in (min(size, WINDOW), size))


def _holds(file: File, generation: Generation) -> bool:
    """Whether it still does: what was noted may be older than a truncation."""
    return file.generation in (None, generation) and generation.same(file.before, file.status.st_size)
