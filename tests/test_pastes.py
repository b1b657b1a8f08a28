"""Text as people paste it: wrapped, padded, coloured, glued."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from agentdoctor.model import Finding, State
from conftest import records

MISSING = "Missing credentials - please check if this instance was started with an IAM instance profile"
EXISTS = "The deployment failed because a specified file already exists at this location: /var/www/html/index.html"
FAILED = "Script at specified location: a.sh failed with exit code 1"
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
    "with wide gaps in its words": (
        MISSING.replace("instance profile", "instance pro              file"),
        "instance-profile-missing",
    ),
    "half of it is not enough": ("Missing credentials - please\nread your mail", ""),
    "two halves of two messages": ("Missing credentials - please\na specified file already exists", ""),
    "the payload alone": (
        f'{{\\"error_code\\":5,\\"script_name\\":\\"\\",\\"message\\":\\"{EXISTS}\\",\\"log\\":\\"\\"}}"}}',
        "file-already-exists",
    ),
    "the payload without backslashes": (
        f'put_host_command_complete(command_status:"Failed",diagnostics:{{format:"JSON",payload:"{{"error_code":5,"message":"{EXISTS}"}}"',
        "file-already-exists",
    ),
    "the payload of a success": ('{\\"error_code\\":0,\\"script_name\\":\\"\\",\\"message\\":\\"Succeeded: \\"}', ""),
    "the console's page of a hook": (
        f"Message\n{FAILED}\nLog Tail\nLifecycleEvent - AfterInstall\n[stderr]no",
        "script-failed",
    ),
    "the page of a hook of the last revision": (
        f"{FAILED}\nLog Tail: LifecycleEvent - ApplicationStop\nScript - a.sh\n[stderr]no",
        "last-revision-script-failed",
    ),
}


@pytest.mark.parametrize(("text", "expected"), PASTES.values(), ids=PASTES)
def test_pastes(text: str, expected: str, scan: Callable[..., dict[str, Finding]]) -> None:
    """What the terminal did to a line does not hide what it says."""
    told = {id_ for id_, finding in scan(text).items() if finding.state is State.ACTIVE}

    assert told == ({expected} if expected else set())


def test_padded_lines_of_a_log(scan: Callable[..., dict[str, Finding]]) -> None:
    """The same in a pasted log that still has its stamps."""
    line = f"2026-11-22T20:55:25 ERROR [codedeploy-agent(21)]:   CommandPoller:  {MISSING.replace(' ', '  ')}\n"

    assert "instance-profile-missing" in scan(line)


def test_a_report_wrapped_by_a_terminal(scan: Callable[..., dict[str, Finding]]) -> None:
    """At 80 columns, also within a word and an escape."""
    line = (
        "2026-11-22T21:00:38 INFO  [codedeploy-agent(26)]: [Aws::CodeDeployCommand::Client 200 0.025061 0 retries]"
        ' put_host_command_complete(command_status:"Failed",diagnostics:{format:"JSON",payload:"{\\"error_code\\":5,'
        f'\\"script_name\\":\\"\\",\\"message\\":\\"{EXISTS}\\",\\"log\\":\\"\\"}}"}},host_command_identifier:"eA==")'
    )
    wrapped = "\n".join(line[begin : begin + 80] for begin in range(0, len(line), 80))

    assert set(scan(wrapped)) == {"file-already-exists"}


def test_entries_glued_in_scripts_log() -> None:
    """A script that ends without a line break; the hook after it is another one."""
    log = (
        "2026-11-22 21:00:30 LifecycleEvent - AfterInstall\n2026-11-22 21:00:30 Script - a.sh\n"
        "2026-11-22 21:00:32 [stderr]no line break at its end2026-11-22 21:00:35 LifecycleEvent - ApplicationStart\n"
        "2026-11-22 21:00:35 Script - b.sh\n2026-11-22 21:00:35 [stdout]started\n"
    )
    (record,) = records(log)

    assert (record.message, record.deployment.event) == ("[stdout]started", "ApplicationStart")
