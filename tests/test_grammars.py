"""From the text of a log to records: each kind of log, and what is told apart."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from agentdoctor.grammars import detect
from conftest import records

POLL = (
    "2026-11-22T20:46:58 INFO  [codedeploy-agent(21)]: [Aws::CodeDeployCommand::Client 200 60.1 0 retries] "
    'poll_host_command(host_identifier:"arn:aws:ec2:us-east-1:123456789012:instance/i-0123456789abcdef0")  \n\n'
)
ERROR = "2026-11-22T20:55:25 ERROR [codedeploy-agent(21)]: InstanceAgent::CommandPoller: Missing credentials\n"
TRACE = (
    "2026-11-22T20:55:25 ERROR [codedeploy-agent(21)]: Error during perform: X - y - /opt/a.rb:70:in `sign'\n"
    "/opt/b.rb:122:in `apply'\n<internal:kernel>:90:in `tap'\n"
)

KINDS = {
    "agent 1.x": (POLL, "agent"),
    "agent 1.x with a blank": (POLL.replace("T20", " 20"), "agent"),
    "agent 2.x": ("2026-09-10 08:15:02  INFO Worker 1432 starting\n", "agent"),
    "deployment": ("[2026-11-22 21:01:32.291] [d-AAAAAAAAA]LifecycleEvent - BeforeInstall\n", "deployment"),
    "deployment 2.x": ("[2026-09-10 10:15:02.125] AfterInstall/AfterInstall failed: x\n", "deployment"),
    "scripts": ("2026-11-22 21:00:32 [stdout]tail without newline\n", "scripts"),
    "update": ("I, [2026-11-22T21:08:05.667214 #59]  INFO -- : Starting update check.\n", "update"),
    "update 2.x": ("[2026-09-10T08:15:02Z] /bin/sh /tmp/.tmpAbC123 exit=1\n", "update"),
    "journal": ("Mar  9 17:48:32 ip-10-10-100-10 bash[4517]: cannot load such file\n", "journal"),
    "journal, precise": ("2026-03-09T17:48:32+0000 ip-10-10-100-10 systemd[1]: Started it.\n", "journal"),
    "a paste": ("The deployment failed because of this\n", "text"),
    "nothing": ("", "text"),
    "another program's log": ("2026-11-22 20:46:58,123 main.py: started\n", "text"),
}


@pytest.mark.parametrize(("text", "log"), KINDS.values(), ids=KINDS)
def test_kind_is_told_by_the_text(text: str, log: str) -> None:
    """The name of a file says nothing; its lines do."""
    assert detect(text.encode()).log == log


def test_agent_header() -> None:
    """Stamp, level and pid come out of the header; what is left is the message."""
    (record,) = records(ERROR)

    assert (record.level, record.pid, record.agent) == ("ERROR", 21, "1.x")
    assert record.message == "InstanceAgent::CommandPoller: Missing credentials"
    assert record.at == datetime(2026, 11, 22, 20, 55, 25).astimezone().timestamp()


def test_agent_2x_span() -> None:
    """2.x stamps are UTC; deployment and command stand in the span."""
    line = (
        "2026-09-10 08:15:02 ERROR deployment{deployment_id=d-ABCDEF123 command=Install app=my app}: Command failed x\n"
    )
    (record,) = records(line)

    assert record.at == datetime(2026, 9, 10, 8, 15, 2, tzinfo=timezone.utc).timestamp()
    assert (record.deployment.id, record.deployment.event) == ("d-ABCDEF123", "Install")
    assert (record.agent, record.message) == ("2.x", "Command failed x")


def test_both_generations_in_one_file() -> None:
    """After an upgrade 2.x goes on in the file of 1.x."""
    assert [x.agent for x in records(ERROR + "2026-11-22 21:00:00 ERROR Command failed\n")] == ["1.x", "2.x"]


def test_a_trace_is_no_message() -> None:
    """Frames belong to the entry and are not matched."""
    (record,) = records(TRACE)

    assert record.message.endswith("/opt/a.rb:70:in `sign'")


def test_a_message_of_several_lines() -> None:
    """Ruby 3.1 shows the source line between the message and the trace."""
    text = ERROR.replace("Missing", "undefined method\n\n  x.each\n   ^^^^^\nMissing") + "/opt/b.rb:1:in `a'\n" + ERROR
    first, second = records(text)

    assert first.message.splitlines()[-1] == "Missing credentials"
    assert second.message == "InstanceAgent::CommandPoller: Missing credentials"


def test_a_report_becomes_its_message() -> None:
    """An INFO line with HTTP 200 is how a failed event looks."""
    line = (
        "2026-11-22T21:02:37 INFO  [codedeploy-agent(24)]: [Aws::CodeDeployCommand::Client 200 0.01 0 retries] "
        'put_host_command_complete(command_status:"Failed",diagnostics:{format:"JSON",payload:"{\\"error_code\\":4,'
        '\\"script_name\\":\\"a.sh\\",\\"message\\":\\"it failed\\",\\"log\\":\\"\\"}"},'
        'host_command_identifier:"ZC1BQUFBQUFBQUEvQmVmb3JlSW5zdGFsbA==")\n'
    )
    (record,) = records(line)

    assert record.message == "it failed"
    assert (record.deployment.id, record.deployment.event) == ("d-AAAAAAAAA", "BeforeInstall")
    assert record.revision == "current"
    assert not record.succeeded

    (good,) = records(line.replace('"Failed"', '"Succeeded"'))
    assert good.succeeded == "BeforeInstall"


HOOK = "2026-11-22 21:00:30 LifecycleEvent - AfterInstall\n2026-11-22 21:00:30 Script - a.sh\n"
LAST = "2026-11-22 21:00:32 [stderr]No space left on device\n"
OUTPUT = {
    "the last words": (HOOK + LAST, "[stderr]No space left on device"),
    "of three lines": (HOOK + LAST + LAST.replace("No", "a") * 2, "[stderr]No space left on device"),
    "not of the fourth": (HOOK + LAST + LAST.replace("No", "a") * 3, "[stderr]a space left on device"),
    "not of the hook before": (HOOK + LAST + HOOK + LAST.replace("No", "a"), "[stderr]a space left on device"),
    "none when the last hook is silent": (HOOK + LAST + HOOK, ""),
    "the deployment log": ("[2026-11-22 21:01:32.291] [d-AAAAAAAAA][stderr]No space left on device\n", "[stderr]No"),
}


@pytest.mark.parametrize(("log", "begin"), OUTPUT.values(), ids=OUTPUT)
def test_of_hook_output_only_the_last_words_count(log: str, begin: str) -> None:
    """What a hook prints proves nothing, unless it is the last that was heard of the deployment."""
    found = records(log)

    assert [x.message.startswith(begin) for x in found] == ([True] if begin else [])
    assert all(x.log == "scripts" for x in found)


def test_last_words_name_their_hook() -> None:
    """Event and script stand in the log, the deployment in its path or in the line."""
    (record,) = records(HOOK + LAST)

    assert (record.deployment.event, record.deployment.script) == ("AfterInstall", "a.sh")


def test_failed_event_of_the_2x_deployment_log() -> None:
    """2.x says there that an event failed, and which."""
    (record,) = records("[2026-09-10 10:15:02.125] AfterInstall/AfterInstall failed: Script at x\n")

    assert (record.message, record.deployment.event) == ("Script at x", "AfterInstall")


def test_journal_and_status_output() -> None:
    """A status block is one record, journal lines are one each, #011 is a tab."""
    text = (
        "codedeploy-agent.service - LSB: AWS CodeDeploy Host Agent\n   Loaded: loaded\n   Active: active (exited)\n\n"
        "Mar  9 17:48:32 ip-10-10-100-10 bash[4517]: #011from a\n"
    )
    status, line = records(text)

    assert status.message.splitlines()[-1] == "   Active: active (exited)"
    assert (line.message, line.pid, line.at) == ("\tfrom a", 4517, None)


def test_update_log() -> None:
    """Raw lines of apt between the installer's own are records without a stamp."""
    text = "E, [2026-11-22T21:08:38.352206 #58] ERROR -- : Could not download\n"
    (record,) = records(text)

    assert (record.level, record.pid, record.message) == ("ERROR", 58, "Could not download")


def test_impossible_date() -> None:
    """A stamp that is no date leaves the record without a time."""
    (record,) = records(ERROR.replace("2026-11-22", "2026-19-82"))

    assert record.at is None


def test_bytes_that_are_no_text() -> None:
    """Latin-1 in a message is shown as what it is."""
    (record,) = records(ERROR.encode().replace(b"Missing", b"Zugriff f\xfcr"))

    assert record.message.endswith("f\\xfcr credentials")
