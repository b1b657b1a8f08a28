"""What may stand in the place of a log and is not one, above all where anybody may write. Nothing of it is read."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agentdoctor.tailing import Refused

from .conftest import times
from .world import Reading, family, open_for_reading

NOBODY = 65534
SECRET = b"nobody may see this line\n"
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root to give files to somebody else")


@pytest.fixture
def public(tmp_path: Path) -> Path:
    """A directory like /tmp, and one beside it with a file that is nobody's business."""
    directory = tmp_path / "tmp"
    directory.mkdir()
    directory.chmod(0o1777)
    (tmp_path / "secret").write_bytes(SECRET)
    return directory


def _link(path: Path) -> None:
    path.symlink_to(path.parent.parent / "secret")


def _hard_link(path: Path) -> None:
    os.link(path.parent.parent / "secret", path)


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        here = os.getcwd()
        os.chdir(path.parent)  # a socket's name is short
        made.bind(path.name)
        os.chdir(here)


def _written(mode: int) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        path.write_bytes(SECRET)
        path.chmod(mode)

    return write


def _anothers(path: Path) -> None:
    path.write_bytes(SECRET)
    os.chown(path, NOBODY, NOBODY)


def _device(path: Path) -> None:
    path.symlink_to("/dev/zero")


ANYWHERE = {
    "FIFO": (os.mkfifo, "is a FIFO"),
    "directory": (os.mkdir, "is a directory"),
    "link": (_link, "is a link"),
    "link to a device": (_device, "is a link"),
    "link to nothing": (lambda path: path.symlink_to("nothing"), "is a link"),
    "socket": (_socket, "is a socket"),
}
IN_PUBLIC = {
    "hard link": (_hard_link, "has another name"),
    "group may write": (_written(0o664), "may be written by others (mode 0664)"),
    "all may write": (_written(0o646), "may be written by others (mode 0646)"),
}
BY_ROOT = {
    "device": (lambda path: os.mknod(path, 0o020666, os.makedev(1, 5)), "is a device"),
    "another's": (_anothers, f"belongs to user {NOBODY}"),
}


def _check(directory: Path, make: Callable[[Path], None], reason: str, in_public: bool) -> None:
    reading = Reading(family(directory, in_public))
    make(directory / "app.log")
    make(directory / "app.log.0")
    for _ in range(12):
        reading.poll(1.0)
    assert not reading.lines
    assert not open_for_reading(directory)
    assert [each for each in reading.notices if isinstance(each, Refused)] == reading.notices
    assert sorted(Path(each.path).name for each in reading.notices) == ["app.log", "app.log.0"]
    assert all(why.startswith(reason) for why in reading.refused())
    assert all(why.startswith(reason) for why in reading.tailer.refused().values())
    for name in ("app.log", "app.log.0"):  # it is tried again
        path = directory / name
        path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
        path.write_bytes(b"a line of %s\n" % name.encode())
    reading.rest()
    assert sorted(reading.lines) == [b"a line of app.log\n", b"a line of app.log.0\n"]
    assert not reading.tailer.refused()


@pytest.mark.parametrize(("make", "reason"), [*ANYWHERE.values(), *IN_PUBLIC.values()], ids=[*ANYWHERE, *IN_PUBLIC])
def test_in_public(public: Path, make: Callable[[Path], None], reason: str) -> None:
    """It is said once what stands there, and a log that comes in its place is read."""
    _check(public, make, reason, True)


@as_root
@pytest.mark.parametrize(("make", "reason"), BY_ROOT.values(), ids=BY_ROOT)
def test_in_public_by_root(public: Path, make: Callable[[Path], None], reason: str) -> None:
    """The same, for what only root can make."""
    _check(public, make, reason, True)


@pytest.mark.parametrize(("make", "reason"), ANYWHERE.values(), ids=ANYWHERE)
def test_elsewhere(tmp_path: Path, make: Callable[[Path], None], reason: str) -> None:
    """In the agent's own directory too a log is a file and no link."""
    _check(tmp_path, make, reason, False)


@pytest.mark.parametrize("make", [make for make, _ in IN_PUBLIC.values()], ids=IN_PUBLIC)
def test_elsewhere_owners_do_as_they_like(tmp_path: Path, make: Callable[[Path], None]) -> None:
    """Modes and names of a file say nothing where only its owner can make files."""
    (tmp_path / "secret").write_bytes(SECRET)
    (tmp_path / "log").mkdir()
    make(tmp_path / "log" / "app.log")

    assert Reading(family(tmp_path / "log")).rest() == [SECRET]


def test_a_linked_directory_is_followed(tmp_path: Path) -> None:
    """Hosts keep /var/log on another disk; in public such a link is refused."""
    (tmp_path / "data").mkdir()
    (tmp_path / "log").symlink_to("data")
    (tmp_path / "data" / "app.log").write_bytes(b"a line\n")

    assert Reading(family(tmp_path / "log")).rest() == [b"a line\n"]
    refused = Reading(family(tmp_path / "log", True))
    assert not refused.rest()
    assert refused.refused() == ["is not a directory"]


@pytest.mark.parametrize(("mode", "reads"), [(0o1777, True), (0o755, True), (0o777, False), (0o775, False)])
def test_a_public_directory_protects_its_files(public: Path, mode: int, reads: bool) -> None:
    """Without the sticky bit anybody can put a file of another in place of the log."""
    public.chmod(mode)
    (public / "app.log").write_bytes(b"a line\n")
    (public / "app.log.0").write_bytes(b"an old line\n")
    reading = Reading(family(public, True))
    lines = reading.rest()

    assert lines == ([b"an old line\n", b"a line\n"] if reads else [])
    assert reading.refused() == ([] if reads else ["lets anybody exchange files in it: it has no sticky bit"])


@pytest.fixture
def unprivileged(tmp_path: Path) -> Iterator[None]:
    """Without root's right to read everything."""
    for directory in (tmp_path, *tmp_path.parents[:-2]):  # more of them where tests run side by side
        directory.chmod(0o755)
    os.seteuid(NOBODY)
    yield
    os.seteuid(0)


@as_root
@pytest.mark.usefixtures("unprivileged")
@pytest.mark.parametrize("closed", ["app.log", "."], ids=["file", "directory"])
def test_an_unreadable_log_is_tried_again(tmp_path: Path, closed: str) -> None:
    """Permission denied is a state: said once, and over when it is over."""
    os.seteuid(0)
    directory = tmp_path / "log"
    directory.mkdir()
    (directory / "app.log").write_bytes(b"a line\n")
    (directory / closed).chmod(0)
    os.seteuid(NOBODY)
    reading = Reading(family(directory))
    for _ in range(12):
        reading.poll(1.0)
    assert set(reading.refused()) == {"Permission denied"}
    assert len(reading.refused()) <= 2  # the file, and the directory if that is it
    os.seteuid(0)
    (directory / closed).chmod(0o755)
    os.seteuid(NOBODY)

    assert reading.rest() == [b"a line\n"]
    assert not reading.tailer.refused()


def test_no_descriptors_left(tmp_path: Path) -> None:
    """A full table of descriptors is a state too."""
    import resource

    (tmp_path / "app.log").write_bytes(b"a line\n")
    reading = Reading(family(tmp_path))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    try:
        reading.poll()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    assert set(reading.refused()) == {"Too many open files"}
    assert reading.rest() == [b"a line\n"]


def test_r19_exchanged_while_we_look(public: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between each look at a name and its opening something else is put there: nothing foreign is read."""
    log, aside = public / "app.log", public / "aside"
    log.write_bytes(b"ours\n")
    real, evil = os.open, [*ANYWHERE.values(), *IN_PUBLIC.values()]
    turn = 0

    def open_late(path: str, flags: int, mode: int = 0o777, **options: int) -> int:
        nonlocal turn
        if path != str(log):
            return real(path, flags, mode, **options)
        os.rename(log, aside)
        evil[turn % len(evil)][0](log)
        turn += 1
        try:
            return real(path, flags, mode, **options)
        finally:
            log.rmdir() if log.is_dir() and not log.is_symlink() else log.unlink()
            os.rename(aside, log)

    monkeypatch.setattr(os, "open", open_late)
    for _ in range(times(100, 100_000)):
        reading = Reading(family(public, True))
        reading.poll()
        assert not reading.lines
        assert len(reading.refused()) == 1
        reading.tailer.close()
    assert turn
    monkeypatch.undo()

    assert Reading(family(public, True)).rest() == [b"ours\n"]


def test_a_crowd_of_names_costs_a_bounded_look(public: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Anybody can fill a public directory; the log itself is found by its name."""
    from agentdoctor.tailing import rolled

    monkeypatch.setattr(rolled, "NAMES", 20)
    for number in range(100):
        (public / f"other.{number}").touch()
    (public / "app.log").write_bytes(b"a line\n")
    reading = Reading(family(public, True))

    assert reading.rest() == [b"a line\n"]
    assert not reading.notices
