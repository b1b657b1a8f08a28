"""One log and the files that it is rolled into: what stands under its name now, what it was before, and what is unread.

The name is looked at each time, and so is the beginning of the file and what stands before the offset. Rolled files
stay open, since some writers go on writing to them. The directory is listed when something changed, and every tenth
time.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping

from agentdoctor.tailing import files, rolled
from agentdoctor.tailing.files import File, Signature, Unfit, reason, signature
from agentdoctor.tailing.generation import Generation, Inode
from agentdoctor.tailing.model import Consume, Family, Gap, Lag, Notice, Refused, Start
from agentdoctor.tailing.reading import Outcome, turn
from agentdoctor.tailing.table import Table

ATTEMPTS = 8  # at a log that changes while it is read
EVERY = 10  # looks to one listing of the directory, if nothing tells of a change
HELD = 8  # rolled files that stay open
AT_ONCE = 16  # rolled files that are opened for one look
QUIET = 1.0  # seconds without growth after which an entry is whole
DELETED = 300.0  # seconds that a deleted file is kept from freeing its room
_GONE = (FileNotFoundError, NotADirectoryError)


class Log:
    """Follows one family. ``known``: it was followed before, so what is new in it was not read.

    ``more``: a look did not reach the end. ``refused``: why a file is not read, by path.
    """

    def __init__(self, family: Family, rows: Mapping[int, str], known: bool) -> None:
        self.family, self.table, self.known = family, Table(rows), known
        self.archives = re.compile(family.archives)
        self.files: dict[Inode, File] = {}
        self.live: File | None = None
        self.closed: dict[str, tuple[Signature, Generation | None]] = {}
        self.refused: dict[str, str] = {}
        self.notices: list[Notice] = []
        self.more = self.due = self.listed = self.waiting = False
        self.looks = 0

    def poll(self, consume: Consume, now: float, start: Start) -> list[Notice]:
        """Look, read and offer what is new. Returns what there is to say."""
        self.more = self.listed = False
        if self._absent():
            self.looks += 1
            return []
        self.due = self.due or not self.looks % EVERY
        self.looks += 1
        for attempt in range(ATTEMPTS):
            self._look(now)
            if not attempt and self.calm():
                return self._said()
            if not self.known and start == "end":
                self._pass_over(now)
            self.known = True
            if self.due:
                self._list(now)
            if self._read(consume, now):
                break
            self.more = True
        self._miss()
        self._let_go(now)
        return self._said()

    def _absent(self) -> bool:
        """Whether nothing is here, as on most hosts of most logs; each tenth look makes sure."""
        sure = self.files or self.due or self.refused or not self.known or not self.looks % EVERY
        return not sure and not os.path.lexists(self.family.path)

    def calm(self) -> bool:
        """Whether nothing changed, as nearly always: then this look ends here."""
        return self.known and not self.due and not any(file.pending or file.deleted for file in self.files.values())

    def _said(self) -> list[Notice]:
        notices, self.notices = self.notices, []
        return notices

    def _look(self, now: float) -> None:
        """At what stands under the name, and at the files that are open."""
        status = self._status()
        if self.live is not None and (status is None or self.live.inode != (status.st_dev, status.st_ino)):
            self.live.live, self.live, self.due = False, None, True
        for file in self.files.values():
            at = os.fstat(file.descriptor) if status is None or file is not self.live else status
            file.renew(at, now)
            if not file.live and not file.backlog:
                file.backlog = at.st_size
        if status is not None and self.live is None:
            self._appear((status.st_dev, status.st_ino), now)
        if self.live is not None and self.live.generation is not None:
            self.due = self.due or (self.live.pending and not self.live.generation.offset)  # rolled while it was empty?
            self._still(self.live, self.live.generation)

    def _status(self) -> os.stat_result | None:
        """Of what stands under the name; None if that is nothing to read."""
        family = self.family
        try:
            doubt = files.distrust_directory(family.directory) if family.public else ""
            if doubt:
                self._refuse(family.directory, doubt)
                return None
            status = files.look(family.path, family.public)
        except _GONE:
            self.refused.pop(family.path, None)
            return None
        except OSError as error:
            self._refuse(family.path, reason(error))
            return None
        if self.live is not None:
            self.refused.pop(family.path, None)
        return status

    def _appear(self, inode: Inode, now: float) -> None:
        """Another file has the name: one of ours, renamed back, or a new one."""
        file = self.files.get(inode) or self._open(self.family.live, now)
        if file is not None:
            file.live = file.was_live = file.pending = True
            file.name, file.backlog = self.family.live, 0
            self.live, self.due = file, True

    def _still(self, file: File, generation: Generation) -> None:
        """Whether the log is what it was: nothing tells of a truncation when as much was written since."""
        try:
            if not file.holds(generation):
                self._change(file)
        except Unfit as error:
            self._refuse(self.family.path, reason(error))

    def _change(self, file: File) -> None:
        """A file holds something else now."""
        if file.generation is not None and file.generation.inode == file.inode:
            file.generation.inode = None
        file.generation, file.blank, file.pending, self.due = None, 0, True, True

    def _open(self, name: str, now: float) -> File | None:
        path = f"{self.family.directory}/{name}"
        try:
            file = files.open_file(path, name, self.family.public, now)
        except _GONE:
            self.due = True
            return None
        except OSError as error:
            self._refuse(path, reason(error))
            return None
        self.refused.pop(path, None)
        if file.inode in self.files:  # renamed between the look and the opening
            file.close()
            return self.files[file.inode]
        self.files[file.inode] = file
        return file

    def _refuse(self, path: str, why: str) -> None:
        if self.refused.get(path) != why:
            self.refused[path] = why
            self.notices.append(Refused(path, why))

    def _list(self, now: float) -> None:
        """Open rolled files that are new or changed, the oldest first, and the newest ones anyway."""
        self.due, self.waiting, opened = False, False, 0
        found = rolled.look(self.family, self.archives)
        self.listed, self.due = found.complete, found.torn
        self._forget({name for _, name, _ in found.files} | set(found.refused))
        if "" not in found.refused:
            self.refused.pop(self.family.directory, None)
        for name, why in found.refused.items():
            self._refuse(f"{self.family.directory}/{name}" if name else self.family.directory, why)
        for rank, (_, name, status) in enumerate(found.files, HELD - len(found.files)):
            file = self.files.get((status.st_dev, status.st_ino))
            if file is not None:
                file.name = file.name if file.live else name
            elif rank >= 0 or self.closed.get(name, (None,))[0] != signature(status):
                if opened == AT_ONCE:
                    self.waiting = self.due = self.more = True
                    return
                opened += 1
                file = self._open(name, now)
                if file is not None:
                    file.backlog = file.status.st_size

    def _forget(self, names: set[str]) -> None:
        """Names that are no longer there."""
        self.closed = {name: known for name, known in self.closed.items() if name in names}
        paths = {f"{self.family.directory}/{name}" for name in names} | {self.family.path, self.family.directory}
        self.refused = {path: why for path, why in self.refused.items() if path in paths}

    def _pass_over(self, now: float) -> None:
        """Count everything that is there as read."""
        while True:
            self._list(now)
            for file in self.files.values():
                if file.generation is None:
                    self._known(file)
            if not self.waiting:
                return
            self._let_go(now)

    def _known(self, file: File) -> None:
        """Count a file as read."""
        try:
            self.table.pass_over(file)
        except Unfit as error:
            self._refuse(f"{self.family.directory}/{file.name}", reason(error))

    def _read(self, consume: Consume, now: float) -> bool:
        """Read what is pending, rolled files first. False if one was exchanged while it was read."""
        pending = [file for file in self.files.values() if file.pending]
        for file in sorted(pending, key=lambda file: (file.live, file.status.st_mtime_ns)):
            if file.live and self.waiting:
                break
            try:
                outcome = self._turn(file, consume, now)
            except Unfit as error:
                self._refuse(f"{self.family.directory}/{file.name}", reason(error))
                continue
            if outcome is Outcome.CHANGED:
                self._change(file)
                return False
            file.pending = outcome is not Outcome.DONE
            if outcome is Outcome.MORE:
                self.more = True
                if file.generation is not None and not file.live and file.generation.offset < file.backlog:
                    break  # older lines come first
        return True

    def _turn(self, file: File, consume: Consume, now: float) -> Outcome:
        # what began like one generation, or held nothing yet, may show by now whose copy it is
        if not file.was_live or file.generation is None or not file.generation.offset:
            file.renew(os.fstat(file.descriptor), now)  # a copy may have been read since we looked at its source
            self.table.identify(file, self.files)
        generation = file.generation
        if generation is None:
            return Outcome.DONE
        part = self.table.joined(file)
        if part is not None:
            if self.live is not None and self.live.generation is part:
                return Outcome.HELD  # what is appended is still being copied
            self.table.join(file, part)
        is_live = self.live is not None and self.live.generation is generation
        settled = not is_live or now - file.grown_at >= QUIET
        path = f"{self.family.directory}/{file.name}"
        try:
            return turn(file, generation, self.family.kind, path, settled, consume)
        finally:
            generation.size = file.status.st_size
            self.table.keep(generation)

    def _miss(self) -> None:
        """Say which generations are gone before they were read."""
        at_work = self.live.generation if self.live is not None else None
        for file in [each for each in self.files.values() if not each.live and not each.pending]:
            generation = file.generation or file.copying
            if generation is not None and generation is not at_work:
                self.table.finish([generation])
                if file.copying is not None:  # made too early; from now on it is known by itself
                    self._known(file)
        closed = {generation for _, generation in self.closed.values() if generation is not None}
        self.table.finish(closed - {at_work})
        if not self.listed or self.waiting or any(file.pending and not file.generation for file in self.files.values()):
            return
        for each in self.table.missing(closed | {file.generation or file.copying for file in self.files.values()}):
            why = "it was truncated, overwritten or deleted, and no rolled file has the rest"
            self.notices.append(Gap(self.family.path, max(0, each.size - each.offset), why))
        self.due = self.due or self.table.wanted()

    def _let_go(self, now: float) -> None:
        """Close rolled files beyond the newest, and deleted ones nobody writes to, whose room they would keep."""
        old = sorted((file for file in self.files.values() if not file.live), key=lambda file: -file.status.st_mtime_ns)
        for rank, file in enumerate(old):
            if not file.pending and (rank >= HELD or (file.deleted and now - file.grown_at > DELETED)):
                self.closed[file.name] = (signature(file.status), file.generation or file.copying)
                del self.files[file.inode]
                file.close()

    def lag(self) -> Iterator[tuple[str, Lag]]:
        """Of the live log, and of each rolled file of which something is unread."""
        for file in self.files.values():
            offset = file.generation.offset if file.generation else 0
            size = file.status.st_size
            if file.live or (file.pending and size > offset):
                identity = file.generation.identity if file.generation else ""
                yield f"{self.family.directory}/{file.name}", Lag(identity, size, offset, max(0, size - offset))

    def close(self) -> None:
        """Let go of all files."""
        for file in self.files.values():
            file.close()
        self.files.clear()
        self.live = None
