"""Host: the only door to the machine. Live, or a snapshot: a copied tree with the evidence recorded beside it."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone, tzinfo
from typing import TYPE_CHECKING, Any

from agentdoctor import record

if TYPE_CHECKING:
    import subprocess

IMDS_ENDPOINT = "http://169.254.169.254"
READ_LIMIT = 1 << 20


@dataclass(frozen=True)
class Host:
    """Files below ``root``, commands, the metadata service's address and the clock.

    A host that is not live answers from its files and from ``recorded``; it never runs a command and never
    opens a connection.
    """

    root: str = "/"
    live: bool = True
    imds_endpoint: str = IMDS_ENDPOINT
    recorded: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    answers: Mapping[record.Key, Mapping[str, Any]] = field(default_factory=dict)  # the same about one thing each
    taken_at: float | None = None  # seconds since the epoch, for a snapshot that says so
    broken_rules: tuple[str, ...] | None = None  # what is wrong with rules of the site; None: not read
    utc_offset: float | None = None  # seconds east of UTC of the snapshot's local time; None: UTC, as on AMIs
    name: str | None = None  # of a snapshot; a living host is asked
    journal: str = ""  # the file that holds what the unit's journal said, of a snapshot that has it
    problems: tuple[str, ...] = ()  # logs that could not be read when the snapshot was taken
    notes: tuple[str, ...] = ()  # what was left out then without harm to the verdicts
    state_dir: str = ""  # of the service; "" where it is not known
    asks_imds: bool = False  # a copied tree whose metadata service is to be asked all the same

    @staticmethod
    def at(root: str, imds_endpoint: str = IMDS_ENDPOINT, state_dir: str = "") -> Host:
        """This host, or a copied tree; an own metadata service that is named for the tree is asked too. OSError."""
        if root == "/":
            return Host(imds_endpoint=imds_endpoint, state_dir=state_dir)
        named = imds_endpoint != IMDS_ENDPOINT
        return replace(Host.snapshot(root), imds_endpoint=imds_endpoint, asks_imds=named, state_dir=state_dir)

    @staticmethod
    def snapshot(root: str) -> Host:
        """A copied tree. OSError if it is no directory, ValueError if its record cannot be understood."""
        if not os.path.isdir(root):
            os.scandir(root).close()  # says why: missing, or not a directory
        try:
            with open(os.path.join(root, record.RECORD_FILE), encoding="utf-8") as file:
                known = record.parse(file.read())
        except FileNotFoundError:
            known = record.Recorded()
        return Host(
            root=root,
            live=False,
            recorded=known.evidence,
            answers=known.answers,
            taken_at=known.taken_at,
            utc_offset=known.utc_offset,
            name=known.name,
            journal=f"/{record.JOURNAL_FILE}" if known.journal else "",
            problems=known.problems,
            notes=known.notes,
        )

    def path(self, absolute: str) -> str:
        """Where a file of the host lies. PermissionError when a link leads out of a copied tree."""
        if self.root == "/":
            return absolute
        joined = os.path.join(self.root, absolute.lstrip("/"))
        root = os.path.realpath(self.root)
        if os.path.commonpath([root, os.path.realpath(joined)]) != root:
            raise PermissionError(f"{absolute} is a link out of the copied tree")
        return joined

    def read(self, absolute: str, limit: int = READ_LIMIT) -> str:
        """The first ``limit`` bytes of a regular file as text. OSError when it cannot be read."""
        descriptor = os.open(self.path(absolute), os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            return file.read(limit).decode("utf-8", "replace")

    def tail(self, absolute: str, limit: int) -> tuple[os.stat_result, bytes]:
        """What a regular file is, and its last ``limit`` bytes. OSError when it cannot be read or is none."""
        descriptor = os.open(self.path(absolute), os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise OSError(f"{absolute} is not a regular file")
            return status, os.pread(descriptor, limit, max(0, status.st_size - limit))
        finally:
            os.close(descriptor)

    def exists(self, absolute: str) -> bool:
        """Whether something stands there, a dangling link included. PermissionError when that is not for us to know."""
        try:
            os.lstat(self.path(absolute))
        except (FileNotFoundError, NotADirectoryError):
            return False
        return True

    def is_file(self, absolute: str) -> bool:
        """Whether a regular file stands there, links followed within the tree."""
        return os.path.isfile(self.path(absolute))

    def listing(self, absolute: str) -> list[str]:
        """Names in a directory, sorted. OSError when it cannot be read."""
        return sorted(os.listdir(self.path(absolute)))

    def run(self, argv: Sequence[str], timeout: float = 2.0) -> subprocess.CompletedProcess[str]:
        """Run a command of the host, without a shell, in the C locale and in UTC. OSError; TimeoutError is one."""
        import subprocess

        try:
            return subprocess.run(
                argv,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=timeout,
                check=False,
                env={**os.environ, "LC_ALL": "C", "TZ": "UTC"},
            )
        except subprocess.TimeoutExpired:
            raise TimeoutError(f"{argv[0]} did not answer within {timeout} s") from None

    def now(self) -> float:
        """Seconds since the epoch; for a snapshot the time it was taken."""
        return self.taken_at if self.taken_at is not None else time.time()

    def zone(self) -> tzinfo | None:
        """The zone of the agent's local stamps; None is the zone of this process."""
        if self.live:
            return None
        return timezone(timedelta(seconds=self.utc_offset or 0))


def iso(at: float | None) -> str | None:
    """RFC 3339 in UTC with milliseconds, for machines."""
    if at is None:
        return None
    return datetime.fromtimestamp(at, timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
