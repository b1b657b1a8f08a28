"""The log of the agent that stands in for 2.x: UTC, no program and no pid, the text first and then key=value."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable
from pathlib import Path

LOG = Path("/var/log/aws/codedeploy-agent/codedeploy-agent.log")
INSTANCE = "arn:aws:ec2:eu-west-1:123456789012:instance/i-0123456789abcdef0"
Say = Callable[[str, str], None]  # level and text


def opened(path: Path) -> Say:
    """Writes to one file, open for life. A line that cannot be written is lost, and the next one is tried again."""
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)

    def say(level: str, text: str) -> None:
        stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime())
        with contextlib.suppress(OSError):
            os.write(file, f"{stamp} {level:>5} {text}\n".encode())

    return say


def within(say: Say, span: str) -> Say:
    """The same for what happens within a span, which stands before each text."""
    return lambda level, text: say(level, f"{span}: {text}")
