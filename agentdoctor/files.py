"""Writing a file as a whole or not at all."""

from __future__ import annotations

import contextlib
import os
import stat
import time


def replace(path: str, text: str, mode: int, durable: bool = True) -> None:
    """Make the file hold the text, in UTF-8. A reader, or a crash, finds the old file or the new one, never a half.

    OSError if it cannot; the old file is then as it was. What is there and no regular file (a device, a link) stays:
    a rename would put a file in its place. ``durable``: it outlives a loss of power.
    """
    with contextlib.suppress(FileNotFoundError):
        if not stat.S_ISREG(os.lstat(path).st_mode):
            raise OSError("is not a regular file")
    name = os.path.join(os.path.dirname(path), f".agentdoctor-{os.getpid()}-{time.monotonic_ns()}")
    descriptor = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        with open(descriptor, "w", encoding="utf-8", errors="backslashreplace", newline="") as file:
            file.write(text)
            file.flush()
            os.fchmod(descriptor, mode)
            if durable:
                os.fsync(descriptor)
        os.replace(name, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise
