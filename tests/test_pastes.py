"""Text as people paste it: wrapped, padded, coloured, glued."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from agentdoctor.model import Finding
from conftest import records

MISSING = "Missing credentials - please check if this instance was started with an IAM instance profile"
EXISTS = "The deployment failed because a specified file already exists at this location: /var/www/html/index.html"
BOLD = "\x1b[1mcheck\x1b[0m"
PASTES = {
    "as it is": (MISSING, "instance-profile-missing"),
    "wrapped at a blank": (MISSING.replace(" this ", "\nthis "), "instance-profile-missing"),
    "wrapped in a word": (MISSING.replace("instance was", "inst\nance was"), "instance-profile-missing"),
    "wrapped twice": (MISSING.replace(" check ", "\ncheck ").replace(" with ", " with\n"), "instance-profile-missing"),
    "padded": (MISSING.replace(" ", "   "), "instance-profile-missing"),
    "coloured": (
        f"\x1b[31m{MISSING.replace('check', chr(27) + '[1mcheck' + chr(27) + '[0m')}",
        "instance-profile-missing",
    ),
    "with words before and after": (f"Hello,\nwe see\n{EXISTS}\nany idea?", "file-already-exists"),
    "half of it is not enough": ("Missing credentials - please check\nyour mail", ""),
    "two halves of two messages": ("Missing credentials - please check\na specified file already exists", ""),
}


@pytest.mark.parametrize(("text", "expected"), PASTES.values(), ids=PASTES)
def test_pastes(text: str, expected: str, scan: Callable[..., dict[str, Finding]]) -> None:
    """What the terminal did to a line does not hide what it says."""
    assert set(scan(text)) == ({expected} if expected else set())


def test_padded_lines_of_a_log(scan: Callable[..., dict[str, Finding]]) -> None:
    """The same in a pasted log that still has its stamps."""
    line = f"2026-11-22T20:55:25 ERROR [codedeploy-agent(21)]:   CommandPoller:  {MISSING.replace(' ', '  ')}\n"

    assert "instance-profile-missing" in scan(line)


def test_entries_glued_in_scripts_log() -> None:
    """A script that ends without a line break; the hook after it is another one."""
    log = (
        "2026-11-22 21:00:30 LifecycleEvent - AfterInstall\n2026-11-22 21:00:30 Script - a.sh\n"
        "2026-11-22 21:00:32 [stderr]no line break at its end2026-11-22 21:00:35 LifecycleEvent - ApplicationStart\n"
        "2026-11-22 21:00:35 Script - b.sh\n2026-11-22 21:00:35 [stdout]started\n"
    )
    (record,) = records(log)

    assert (record.message, record.deployment.event) == ("[stdout]started", "ApplicationStart")
