"""The probes of the metadata service, against a real server on a loopback port."""

from __future__ import annotations

import errno
import json
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from typing import Any

import pytest

from agentdoctor.host import Host
from agentdoctor.model import Outcome
from agentdoctor.probes import CannotLook, _metadata

from .conftest import ask, cases, value
from .imds_server import (
    CANARIES,
    CLOSE,
    DOCUMENT,
    DRIP,
    GARBAGE,
    HANG,
    INFO,
    ROLES,
    SECRETS,
    Imds,
    credentials,
    info,
)

Serve = Callable[..., Host]
ROLE = ROLES + "web-role"
LAST = datetime(2026, 11, 22, 20, 0, 0, tzinfo=timezone.utc).timestamp()
EXPIRES = datetime(2026, 11, 23, 2, 0, 0, tzinfo=timezone.utc).timestamp()

TOKENS = [
    ("healthy", {}, {"status": 200, "given": True, "error": "", "v1_status": None}),
    ("service off", {"token_status": 403, "v1": 403}, {"status": 403, "given": False, "v1_status": 403}),
    ("only the old way works", {"token_status": 404}, {"status": 404, "given": False, "v1_status": 200}),
    ("refused, v2 required", {"token_status": 400, "v1": 401}, {"status": 400, "given": False, "v1_status": 401}),
    ("empty token", {"token": ""}, {"status": 200, "given": False, "v1_status": 200}),
    ("token of two lines", {"token": "<html>\n</html>"}, {"status": 200, "given": False, "v1_status": 200}),
    ("endless token", {"token": "x" * 99_999}, {"status": 200, "given": False, "v1_status": 200}),
    ("redirect is not followed", {"token_status": 302, "v1": 401}, {"status": 302, "given": False, "v1_status": 401}),
    (
        "answers to PUT get lost (hop limit)",
        {"token_status": HANG},
        {"status": None, "given": False, "error": "timed out", "v1_status": 200},
    ),
    (
        "accepts and says nothing",
        {"token_status": HANG, "v1": HANG},
        {"status": None, "given": False, "error": "timed out", "v1_status": None},
    ),
    ("drips", {"token_status": DRIP}, {"status": None, "given": False, "error": "timed out", "v1_status": 200}),
    (
        "something else listens there",
        {"token_status": GARBAGE, "v1": GARBAGE},
        {"status": None, "given": False, "error": "not an HTTP answer", "v1_status": None},
    ),
    (
        "hangs up",
        {"token_status": CLOSE, "v1": CLOSE},
        {"status": None, "given": False, "error": "connection closed", "v1_status": None},
    ),
]


@cases(TOKENS)
def test_token(serve: Serve, behaviour: dict[str, Any], expected: dict[str, Any]) -> None:
    seen = value("imds.token", serve(Imds(**behaviour)))
    assert seen["connected"] is True
    assert {name: seen[name] for name in expected} == expected
    assert seen["ms"] >= 0


def test_token_is_asked_without_token_only_when_none_was_given(serve: Serve) -> None:
    imds = Imds()
    value("imds.token", serve(imds))
    assert imds.requests == ["PUT /latest/api/token"]


@pytest.fixture
def refusing() -> Iterator[Host]:
    """A port that is bound, so that nobody else takes it, and refuses."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield Host(imds_endpoint=f"http://127.0.0.1:{bound.getsockname()[1]}")


@pytest.fixture
def full() -> Iterator[socket.socket]:
    """A port whose queue is full: Linux drops further connections without a word, as a firewall may."""
    with socket.socket() as bound, socket.socket() as first:
        bound.bind(("127.0.0.1", 0))
        bound.listen(0)
        bound.settimeout(5.0)
        first.connect(bound.getsockname())
        yield bound


@pytest.fixture
def silent(full: socket.socket) -> Host:
    """The same, for good."""
    return Host(imds_endpoint=f"http://127.0.0.1:{full.getsockname()[1]}")


def test_one_lost_packet_is_no_silence(full: socket.socket, silent: Host) -> None:
    """What comes when the queue is full is lost; the kernel tries it again after a second."""

    def answer() -> None:
        time.sleep(0.3)
        full.accept()[0].close()
        with full.accept()[0] as late:
            late.recv(4096)
            late.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\ntoken")

    with ThreadPoolExecutor(1) as pool:
        answered = pool.submit(answer)
        seen = value("imds.token", silent)
        answered.result()

    assert (seen["connected"], seen["given"]) == (True, True)


@pytest.mark.parametrize(("kind", "error"), [("refusing", "refused"), ("silent", "timed out")])
def test_no_connection(request: pytest.FixtureRequest, kind: str, error: str) -> None:
    host = request.getfixturevalue(kind)
    seen = value("imds.token", host)
    assert (seen["connected"], seen["status"], seen["given"], seen["error"]) == (False, None, False, error)
    assert seen["v1_status"] is None


@pytest.mark.parametrize("name", ["imds.document", "imds.profile", "imds.role", "clock.offset"])
def test_no_connection_is_not_an_answer(refusing: Host, name: str) -> None:
    seen = ask(name, refusing)
    assert (seen.value, seen.outcome) == (None, Outcome.UNKNOWN)
    assert "refused" in seen.reason


@pytest.mark.parametrize("name", ["imds.document", "imds.profile", "imds.role"])
@pytest.mark.parametrize("token_status", [400, 403, HANG])
def test_a_401_tells_nothing_about_what_was_asked(serve: Serve, name: str, token_status: int) -> None:
    seen = ask(name, serve(Imds(token_status=token_status, v1=401)))
    assert (seen.value, seen.outcome) == (None, Outcome.UNKNOWN)
    assert "wants a token" in seen.reason


@pytest.mark.parametrize("endpoint", ["https://127.0.0.1", "169.254.169.254", "http://", "http://h:port", ""])
def test_an_endpoint_that_is_none(endpoint: str) -> None:
    assert ask("imds.token", Host(imds_endpoint=endpoint)).outcome is Outcome.UNKNOWN


REASONS = [
    ("no route to host", OSError(errno.EHOSTUNREACH, "No route to host"), "no route"),
    ("network down", OSError(errno.ENETUNREACH, "Network is unreachable"), "no route"),
    ("unknown name", socket.gaierror(-2, "Name or service not known"), "no such host"),
    ("broken pipe", BrokenPipeError(errno.EPIPE, "Broken pipe"), "connection closed"),
    ("anything else", OSError(errno.EADDRNOTAVAIL, "Cannot assign requested address"), "no connection"),
]


@cases(REASONS)
def test_reasons(error: OSError, expected: str) -> None:
    assert _metadata.reason(error) == expected


@pytest.mark.parametrize("number", [errno.EMFILE, errno.EPERM, errno.EAFNOSUPPORT])
def test_our_own_limits_are_not_the_services_fault(number: int) -> None:
    with pytest.raises(CannotLook):
        _metadata.reason(OSError(number, "ours"))


DOCUMENTS = [
    ("healthy", {}, (200, "eu-west-1", "i-0123456789abcdef0")),
    ("by the old way", {"token_status": 404}, (200, "eu-west-1", "i-0123456789abcdef0")),
    ("server error", {"answers": {DOCUMENT: (500, "oops")}}, (500, None, None)),
    ("error with a document", {"answers": {DOCUMENT: (503, {"region": "eu-west-1"})}}, (503, None, None)),
    ("no JSON", {"answers": {DOCUMENT: (200, "<html>login</html>")}}, (200, None, None)),
    ("a list", {"answers": {DOCUMENT: (200, [1, 2])}}, (200, None, None)),
    ("wrong types", {"answers": {DOCUMENT: (200, {"region": 7, "instanceId": None})}}, (200, None, None)),
    ("endless", {"answers": {DOCUMENT: (200, json.dumps({"x": "y" * 200_000}))}}, (200, None, None)),
    ("deep", {"answers": {DOCUMENT: (200, "[" * 60_000)}}, (200, None, None)),
]


@cases(DOCUMENTS)
def test_document(serve: Serve, behaviour: dict[str, Any], expected: tuple[Any, ...]) -> None:
    seen = value("imds.document", serve(Imds(**behaviour)))
    assert (seen["status"], seen["region"], seen["instance_id"]) == expected


def test_document_fields(serve: Serve) -> None:
    assert value("imds.document", serve(Imds())) == {
        "status": 200,
        "region": "eu-west-1",
        "account_id": "123456789012",
        "instance_id": "i-0123456789abcdef0",
        "availability_zone": "eu-west-1a",
        "architecture": "x86_64",
    }


SERVICES = "/latest/meta-data/services/"
NAMES = [
    ("in China", {"partition": (200, "aws-cn"), "domain": (200, "amazonaws.com.cn\n")}, ("aws-cn", "amazonaws.com.cn")),
    ("not said", {"partition": (404, ""), "domain": (404, "")}, (None, None)),
    ("no name of a domain", {"partition": (200, "aws"), "domain": (200, "<html>a b</html>")}, ("aws", None)),
]


@cases(NAMES)
def test_services(serve: Serve, answers: dict[str, tuple[int, str]], expected: tuple[Any, ...]) -> None:
    seen = value("imds.services", serve(Imds(answers={SERVICES + name: said for name, said in answers.items()})))
    assert (seen["partition"], seen["domain"]) == expected


NOT_FOUND = {"attached": False, "status": 404, "code": "", "message": "", "profile_arn": "", "last_updated": None}
UNKNOWN = {"attached": None, "code": None, "message": None, "profile_arn": None, "last_updated": None}
ARN = "arn:aws:iam::123456789012:instance-profile/web"
NO_ROLE = "Instance Profile does not contain a role. Please see documentation"
PROFILES = [
    (
        "healthy",
        (200, info()),
        {"attached": True, "status": 200, "code": "Success", "message": "", "last_updated": LAST},
    ),
    ("no profile", (404, "<html>404 - Not Found</html>"), NOT_FOUND),
    (
        "profile deleted",
        (200, {"Code": "InstanceProfileNotFound", "Message": "gone", "LastUpdated": "2026-11-22T20:00:00Z"}),
        {"status": 200, "code": "InstanceProfileNotFound", "message": "gone", "profile_arn": ""},
    ),
    ("no role in it", (200, info(Message=NO_ROLE)), {"code": "Success", "message": NO_ROLE, "profile_arn": ARN}),
    ("server error", (500, info()), {"status": 500, **UNKNOWN}),
    ("switched off", (403, ""), {"status": 403, **UNKNOWN}),
    ("no JSON", (200, "not found"), {"status": 200, **UNKNOWN}),
    ("bad stamp", (200, info(LastUpdated="yesterday")), {"code": "Success", "last_updated": None}),
    ("stamp without zone", (200, info(LastUpdated="2026-11-22T20:00:00")), {"code": "Success", "last_updated": None}),
]


@cases(PROFILES)
def test_profile(serve: Serve, answer: tuple[int, Any], expected: dict[str, Any]) -> None:
    seen = value("imds.profile", serve(Imds(answers={INFO: answer})))
    assert {name: seen[name] for name in expected} == expected


GOOD = {"role": "web-role", "status": 200, "code": "Success", "message": "", "seconds_left": 21600.0}
REFUSED = {"Code": "AssumeRoleUnauthorizedAccess", "Message": "EC2 cannot assume the role web-role."}
GONE = info(Code="InstanceProfileNotFound", Message="gone")
ROLE_CASES = [
    ("healthy", {}, {**GOOD, "last_updated": LAST + 10}),
    ("expired", {ROLE: (200, credentials(Expiration="2026-11-22T19:00:00Z"))}, {**GOOD, "seconds_left": -3600.0}),
    ("no expiry", {ROLE: (200, credentials(Expiration=None))}, {**GOOD, "seconds_left": None}),
    (
        "trust policy refuses",
        {ROLE: (200, REFUSED)},
        {"role": "web-role", "code": "AssumeRoleUnauthorizedAccess", "message": REFUSED["Message"]},
    ),
    ("profile without role", {ROLES: (200, ""), INFO: (200, info(Message=NO_ROLE))}, {"role": "", "code": "NoRole"}),
    ("list is 404", {ROLES: (404, "")}, {"role": "", "status": 404, "code": "NoRole", "seconds_left": None}),
    (
        "profile deleted",
        {ROLES: (404, ""), INFO: (200, GONE)},
        {"role": "", "code": "InstanceProfileNotFound", "message": "gone"},
    ),
    ("profile says nothing", {ROLES: (404, ""), INFO: (500, "")}, {"role": "", "code": "NoRole"}),
    ("document missing", {ROLE: (404, "")}, {"role": "web-role", "status": 404, "code": ""}),
    (
        "document missing, profile deleted",
        {ROLE: (404, ""), INFO: (200, GONE)},
        {"role": "web-role", "status": 404, "code": "InstanceProfileNotFound"},
    ),
    ("list fails", {ROLES: (503, "")}, {"role": None, "status": 503, "code": None, "message": None}),
    ("document fails", {ROLE: (500, "")}, {"role": "web-role", "status": 500, "code": None, "message": None}),
    ("document is no JSON", {ROLE: (200, "<html>")}, {"role": "web-role", "status": 200, "code": None}),
    ("two names", {ROLES: (200, "web-role\nother")}, GOOD),
]


@cases(ROLE_CASES)
def test_role(serve: Serve, answers: dict[str, Any], expected: dict[str, Any]) -> None:
    seen = value("imds.role", serve(Imds(answers=answers), taken_at=EXPIRES - 21600))
    assert {name: seen[name] for name in expected} == expected


@pytest.mark.parametrize("name", ["../../dynamic", "<html>", "a role", "r\tx", "x" * 65, "rôle"])
def test_a_role_name_that_is_none_is_not_asked_for(serve: Serve, name: str) -> None:
    imds = Imds(answers={ROLES: (200, name)})
    assert ask("imds.role", serve(imds)).outcome is Outcome.UNKNOWN
    assert imds.requests[-1] == f"GET {ROLES}"


def test_a_role_name_is_quoted_in_the_path(serve: Serve) -> None:
    imds = Imds(answers={ROLES: (200, "a+b=c,d@e"), ROLES + "a%2Bb%3Dc%2Cd%40e": (200, credentials())})
    assert value("imds.role", serve(imds))["code"] == "Success"


def test_an_instance_without_profile(serve: Serve) -> None:
    host = serve(Imds().without_profile())
    assert value("imds.profile", host)["status"] == 404
    assert value("imds.role", host)["code"] == "NoRole"


def test_the_environments_proxy_is_not_used(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert value("imds.token", serve(Imds()))["given"] is True


LEAKS = [
    ("healthy", {}),
    ("secrets in a refused document", {ROLE: (200, credentials(Code="Failed"))}),
    ("secrets in a broken document", {ROLE: (200, json.dumps(credentials())[:-1])}),
    ("secrets where a list should be", {ROLES: (200, json.dumps(SECRETS))}),
    ("secrets in a list", {ROLE: (200, [credentials()])}),
    ("secrets in iam/info", {ROLES: (404, ""), INFO: (200, {**info(Code="Failed"), **SECRETS})}),
    ("secrets in an error", {ROLE: (500, credentials())}),
    ("secrets in the identity document", {DOCUMENT: (200, {"region": "eu-west-1", **SECRETS})}),
]


@cases(LEAKS)
def test_no_secret_gets_into_evidence(serve: Serve, answers: dict[str, Any]) -> None:
    host = serve(Imds(answers=answers))
    names = ("imds.token", "imds.document", "imds.profile", "imds.role", "clock.offset", "identity.attachment")
    text = "".join(repr(ask(name, host)) for name in names)
    assert [canary for canary in CANARIES if canary in text] == []


def test_an_answer_does_not_show_its_body() -> None:
    assert "canary" not in repr(_metadata.Answer(200, "", b"canary"))
