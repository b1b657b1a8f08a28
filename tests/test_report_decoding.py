"""The diagnosis inside put_host_command_complete."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentdoctor.grammars.report import about, decode, identify, uninspect
from agentdoctor.model import Deployment

GROUP = "11111111-2222-3333-4444-555555555555"
ARCHIVE = f"/opt/codedeploy-agent/deployment-root/{GROUP}/d-AAAAAAAAA/deployment-archive"


def inspected(text: str) -> str:
    """Ruby's String#inspect, as far as the agent needs it."""
    table = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r", "\x1b": "\\e"}
    return "".join(table.get(c, c) for c in text)


def call(fields: dict[str, object], identifier: str = "aWQ=", status: str = "Failed", limit: int = 0) -> str:
    """A log message as the agent writes it; ``limit`` cuts the payload the way the SDK does."""
    payload = json.dumps(fields)
    shown = f'"{inspected(payload)}"'
    if limit:
        shown = f'#<String "{inspected(payload[:limit])}" ... ({len(payload)} bytes)>'
    return (
        "[Aws::CodeDeployCommand::Client 200 0.02 0 retries] put_host_command_complete("
        f'command_status:"{status}",diagnostics:{{format:"JSON",payload:{shown}}},host_command_identifier:"{identifier}")'
    )


def test_all_fields() -> None:
    """Nested escapes are undone, once for Ruby and once for JSON."""
    log = 'LifecycleEvent - BeforeInstall\nScript - a.sh\n[stderr]say "no" C:\\x\t\x1b[31mred\n'
    report = decode(call({"error_code": 4, "script_name": "a.sh", "message": 'it said "no"', "log": log}))

    assert report
    assert (report.code, report.script, report.message, report.log) == (4, "a.sh", 'it said "no"', log)
    assert not report.succeeded
    assert report.identifier == "aWQ="


CUT = {
    "in the log": (150, "Script failed", "a.sh", "x"),
    "in the message": (59, "Script", "a.sh", ""),
    "before the message": (40, "", "a.sh", ""),
    "in the script's name": (35, "", "a", ""),
    "before everything": (3, "", "", ""),
}


@pytest.mark.parametrize(("limit", "message", "script", "log"), CUT.values(), ids=CUT)
def test_cut_payload(limit: int, message: str, script: str, log: str) -> None:
    """A payload of over 1,000 characters is cut anywhere; what is left counts."""
    fields = {"error_code": 4, "script_name": "a.sh", "message": "Script failed", "log": "x" * 2000}
    report = decode(call(fields, limit=limit))

    assert report
    assert (report.message, report.script, report.log.strip("x")) == (message, script, "")
    assert report.log.startswith(log)


OTHER = {
    "a poll": '[Aws::CodeDeployCommand::Client 200 60.1 0 retries] poll_host_command(host_identifier:"x")',
    "an acknowledgement": 'put_host_command_acknowledgement(diagnostics:{format:"JSON",payload:"{}"})',
    "an announcement": 'CommandPoller: Calling PutHostCommandComplete: "Code Error" ',
}


@pytest.mark.parametrize("message", OTHER.values(), ids=OTHER)
def test_no_report(message: str) -> None:
    """Other calls are no reports."""
    assert decode(message) is None


def test_a_hook_cannot_print_a_success() -> None:
    """What a failed hook printed is data, whatever it looks like."""
    fake = 'put_host_command_complete(command_status:"Succeeded",host_command_identifier:"ZmFrZQ==")'
    report = decode(call({"error_code": 4, "message": "failed", "log": fake}))

    assert report
    assert (report.succeeded, report.message, report.identifier) == (False, "failed", "aWQ=")
    good = decode(call({"error_code": 0, "log": fake}, status="Succeeded"))
    assert good
    assert (good.succeeded, good.identifier) == (True, "aWQ=")


def test_unknown_code_and_odd_json() -> None:
    """A code that is text, and a payload that is no map, are not invented."""
    report = decode(call({"error_code": "Unknown", "message": "Attempting minimal diagnostics"}))
    assert report
    assert report.code is None

    odd = decode(call({}).replace('"{}"', '"[1, 2]"'))
    assert odd
    assert odd.message == ""


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


IDENTIFIERS = {
    "of the lab": (_base64("d-AAAAAAAAA/DownloadBundle"), "d-AAAAAAAAA", "DownloadBundle"),
    "of 2017": (
        _base64(
            '["com.amazon.HostCommandIdentifier",{"deploymentId":"CodeDeploy/us-east-1/Prod/arn:aws:sds:us-east-1:1:'
            'deployment/d-QMJ10MYTO","commandName":"BeforeInstall","commandPosition":3}]'
        ),
        "d-QMJ10MYTO",
        "BeforeInstall",
    ),
    "cut": (_base64("d-AAAAAAAAA/ValidateService")[:-3], "d-AAAAAAAAA", ""),
    "not base64": ("%%%%", "", ""),
    "empty": ("", "", ""),
}


@pytest.mark.parametrize(("identifier", "id_", "event"), IDENTIFIERS.values(), ids=IDENTIFIERS)
def test_identifier(identifier: str, id_: str, event: str) -> None:
    """Deployment and event come out of every form of the identifier."""
    assert identify(identifier) == Deployment(id=id_, event=event)


REVISIONS = {
    "a stop hook runs the last one": ("ApplicationStop", "d-BBBBBBBBB", "last"),
    "another deployment's directory": ("BeforeInstall", "d-BBBBBBBBB", "last"),
    "its own directory": ("BeforeInstall", "d-AAAAAAAAA", "current"),
    "no event and no id": ("", "", ""),
}


@pytest.mark.parametrize(("event", "own", "revision"), REVISIONS.values(), ids=REVISIONS)
def test_which_revision(event: str, own: str, revision: str) -> None:
    """Which revision a path belongs to decides between an AppSpec fault and a deleted directory."""
    deployment, found = about(f"expected at path {ARCHIVE}/appspec.yml", "", own, event)

    assert found == revision
    assert deployment.group_id == GROUP


@given(st.text(max_size=200))
def test_uninspect_undoes_inspect(text: str) -> None:
    """For any text without the characters that Ruby writes by number."""
    assert uninspect(inspected(text)) == text


@given(st.text(alphabet=st.sampled_from('\\"{}:,[]ux0123abcn\n é'), max_size=300))
def test_garbage_never_raises(text: str) -> None:
    """Whatever stands in the payload, there is a report and no exception."""
    assert decode(f'put_host_command_complete(command_status:"Failed",diagnostics:{{format:"JSON",payload:"{text}')
