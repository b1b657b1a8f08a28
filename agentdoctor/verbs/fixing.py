"""lint --fix: what lint can put right, shown first, written only when somebody says so."""

from __future__ import annotations

import contextlib
import os
import stat
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace

from agentdoctor.arguments import UsageError
from agentdoctor.bundle.mending import Change, changes
from agentdoctor.report.lint import Lint
from agentdoctor.report.lint.diff import render
from agentdoctor.verbs.output import write

_LIMIT = 16 << 20  # bytes of a file; scripts are smaller
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC


def fix(run: Lint, yes: bool, verbose: bool) -> bool:
    """Show what would be changed, and change it if that is wanted; whether it was. UsageError if it cannot be."""
    top, appspec = _place(run)
    problems = run.problems if run.kind == "directory" else [replace(one, path=appspec) for one in run.problems]
    found = list(changes(problems, appspec, lambda path: _read(top, path)))
    if not found:
        write("nothing here can be put right mechanically\n\n")
        return False
    write(render(found, verbose) + "\n")
    if not yes and not _asked():
        write(f"{_files(found)} would be changed, and nothing is written; --fix --yes writes it\n\n")
        return False
    for change in found:
        try:
            _write(top, change)
        except OSError as error:
            raise UsageError(f"--fix: {change.path}: {error.strerror or error}") from None
    write(f"{_files(found)} changed\n\n")
    return True


def _files(found: Sequence[Change]) -> str:
    return f"{len(found)} file{'s' if len(found) > 1 else ''}"


def _place(run: Lint) -> tuple[str, str]:
    """The directory that everything lies in, and the AppSpec in it."""
    if run.path == "-" or run.base is None:
        what = "standard input" if run.path == "-" else f"{run.path}, which is an archive"
        raise UsageError(f"--fix changes files, and cannot change {what}; fix the directory that it is made from")
    if run.kind == "directory":
        return run.base or ".", run.appspec
    return os.path.dirname(run.file) or ".", os.path.basename(run.file)


def _asked() -> bool:
    """The answer of a person at a terminal."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return False
    return input("Write these changes? [y/N] ").strip().lower() in ("y", "yes")


@contextlib.contextmanager
def _folder(top: str, path: str) -> Iterator[int]:
    """The directory of a path below the top. No link on the way is followed, so nothing outside can be reached."""
    with contextlib.ExitStack() as stack:
        at = os.open(top, _FOLDER & ~os.O_NOFOLLOW)
        stack.callback(os.close, at)
        for part in path.split("/")[:-1]:
            if part == "..":
                raise OSError("leads out of the directory")
            at = os.open(part, _FOLDER, dir_fd=at)
            stack.callback(os.close, at)
        yield at


def _opened(folder: int, name: str) -> tuple[bytes, os.stat_result] | None:
    """None for what is no regular file, or too large to be a script."""
    descriptor = os.open(name, _FILE, dir_fd=folder)
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or found.st_size > _LIMIT:
            return None
        return file.read(), found


def _read(top: str, path: str) -> tuple[bytes, int] | None:
    """What mending needs to know; None for links and whatever else is not to be changed."""
    try:
        with _folder(top, path) as folder:
            found = _opened(folder, path.rpartition("/")[2])
    except OSError:
        return None
    return (found[0], stat.S_IMODE(found[1].st_mode)) if found else None


def _write(top: str, change: Change) -> None:
    """Put the new file in the place of the old one, which stays as it is until then. OSError; nothing is done then.

    Other names of the same file, which may lie anywhere, keep the old content: a new file takes this name alone.
    """
    old, new = (path.rpartition("/")[2] for path in (change.path, change.new_path))
    with _folder(top, change.path) as folder:
        found = _opened(folder, old)
        if found is None or found[0] != change.before:
            raise OSError("it was changed since it was judged")
        temporary = f".agentdoctor-{os.getpid()}-{time.monotonic_ns()}"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(temporary, flags, 0o600, dir_fd=folder)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(change.after)
                _like(descriptor, found[1], change.new_mode)
                file.flush()
                os.fsync(descriptor)
            _take(folder, temporary, old, new)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(temporary, dir_fd=folder)
            raise


def _like(descriptor: int, old: os.stat_result, mode: int) -> None:
    """The owner of the old file where we may give it, and the mode, which a change of the owner would clear in part."""
    new = os.fstat(descriptor)
    if (new.st_uid, new.st_gid) != (old.st_uid, old.st_gid):
        with contextlib.suppress(PermissionError):
            os.fchown(descriptor, old.st_uid, old.st_gid)
    os.fchmod(descriptor, mode)


def _take(folder: int, temporary: str, old: str, new: str) -> None:
    """Give the file its name. A new name must be free: a link fails where a rename would write over."""
    if old == new:
        os.rename(temporary, old, src_dir_fd=folder, dst_dir_fd=folder)
        return
    os.link(temporary, new, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)
    os.unlink(temporary, dir_fd=folder)
    os.unlink(old, dir_fd=folder)
