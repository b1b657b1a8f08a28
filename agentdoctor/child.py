"""A process that answers lines of JSON: started by us, or by systemd behind a socket, in a sandbox of its own.

The one that speaks to AWS and the one that looks at the host are such children. The unit of the service has no network;
each of its children has a unit, and what that child needs.
"""

from __future__ import annotations

import contextlib
import os
import socket
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import subprocess

SOCKETS = "AGENTDOCTOR_SOCKETS"  # the variable that names the directory of the children's sockets
_PIPE_BYTES = 1 << 20  # so that any letter fits at once, also while the child still starts


class Child:
    """Two descriptors that never block, and the ``process`` if it is ours: who was called is systemd's to end."""

    def __init__(self, reads: int, writes: int, process: subprocess.Popen[bytes] | None = None) -> None:
        self._reads, self._writes, self.process = reads, writes, process
        for descriptor in (reads, writes):
            os.set_blocking(descriptor, False)

    @staticmethod
    def begin(name: str, command: Sequence[str]) -> Child:
        """The child of this name, called where the unit has sockets, started elsewhere. OSError."""
        folder = os.environ.get(SOCKETS)
        return _called(os.path.join(folder, name)) if folder else _started(command)

    def fileno(self) -> int:
        """What becomes readable when there is an answer, and at the end."""
        return self._reads

    def write(self, data: bytes | bytearray) -> int:
        """How much of it was taken. That nobody reads is seen at the other end, by ``read``."""
        with contextlib.suppress(BlockingIOError, ConnectionError):
            return os.write(self._writes, data)
        return 0

    def read(self) -> bytes | None:
        """What it has said since; None for nothing, b"" when it will say no more."""
        try:
            return os.read(self._reads, 1 << 16)
        except BlockingIOError:
            return None
        except ConnectionError:  # it left without having read all
            return b""

    def hang_up(self) -> None:
        """Close its input, after which it ends by itself."""
        for descriptor in {self._reads, self._writes}:
            os.close(descriptor)

    @property
    def ended(self) -> bool:
        """Whether it is gone, as far as that is ours to know, and nothing of it is left."""
        return self.process is None or self.process.poll() is not None

    def kill(self, seconds: float = 0.0) -> None:
        """Kill it, and wait so long: it is gone at once, or sleeps in the kernel, which nobody can end."""
        if self.process is None:
            return
        import subprocess

        self.process.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(seconds)


def _called(path: str) -> Child:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK) as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _PIPE_BYTES)  # the kernel gives less; the rest waits
        line.connect(path)
        descriptor = line.detach()
    return Child(descriptor, descriptor)


def _started(command: Sequence[str]) -> Child:
    import fcntl
    import subprocess

    paths = [path for path in sys.path if os.path.isabs(path)]  # ours; and from /, where nobody can plant a module
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        bufsize=0,
        cwd="/",
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        start_new_session=True,  # Ctrl-C is for us; the child ends with its input
    )
    assert process.stdin
    assert process.stdout
    reads, writes = (os.dup(stream.fileno()) for stream in (process.stdout, process.stdin))
    process.stdin.close()
    process.stdout.close()
    with contextlib.suppress(OSError):
        fcntl.fcntl(writes, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
    return Child(reads, writes, process)
