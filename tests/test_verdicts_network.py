"""Rules of the network against what a host shows: proven, contradicted, or not to be seen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from agentdoctor import rules as catalogue
from agentdoctor.doctor import Doctor
from agentdoctor.model import Evidence, Finding, Outcome, Rule, State, Verdict
from conftest import records

SHIPPED = {rule.id: rule for rule in catalogue.load(samples=True).rules}
Shown = Mapping[str, Mapping[str, Any]]

WELL: dict[str, Any] = {
    "host": "a.example", "port": 443, "via_proxy": False, "proxy": "", "dns": True, "dns_error": "",
    "addresses": ["52.94.5.1"], "private": False, "tcp": True, "tcp_error": "", "proxy_ok": None, "proxy_status": None,
    "proxy_error": "", "tls": True, "tls_error": "", "issuer": "Amazon", "http": 403, "http_error": "",
    "date_offset": 0.1, "ms": 35.0,
}  # fmt: skip
NO_HTTP = {"http": None, "date_offset": None}
NO_TLS = {**NO_HTTP, "tls": None, "issuer": None}
NO_NAME = {**WELL, **NO_TLS, "dns": False, "dns_error": "no such name", "addresses": [], "private": None, "tcp": None}
REFUSED = {**WELL, **NO_TLS, "tcp": False, "tcp_error": "refused"}
NO_TRUST = {**WELL, **NO_HTTP, "tls": False, "tls_error": "the certificate has expired", "issuer": "Corp"}
INSPECTED = {**WELL, "issuer": "Corp"}
BY_PROXY = {**WELL, "via_proxy": True, "proxy": "p:3128", "private": None, "proxy_ok": True, "proxy_status": 200}
PROXY_REFUSES = {**BY_PROXY, **NO_TLS, "proxy_ok": False, "proxy_status": 407}
PROXY_REFUSED = {**BY_PROXY, **NO_TLS, "tcp": False, "tcp_error": "refused", "proxy_ok": False, "proxy_status": None}
ENDPOINT = {
    "url": "https://a.example",
    "region": "eu-west-1",
    "region_valid": True,
    "partition_domain": "amazonaws.com",
    "source": "identity document",
    "proxy": "",
    "secure": False,
}
NO_SETTING = {"configured": False, "parses": None}
OLD, NEW = {"generation": "1.x"}, {"generation": "2.x"}
DOCUMENT = {"instance_id": "i-0123456789abcdef0", "region": "eu-west-1", "status": 200}


def around(commands: Mapping[str, Any], **probes: Mapping[str, Any]) -> Shown:
    """What a host of 1.x shows whose way to the endpoint is like that; ``version``: of another agent."""
    return {
        "network.commands": commands,
        "network.endpoint": probes.get("endpoint", ENDPOINT),
        "network.s3": probes.get("s3", WELL),
        "network.proxy": probes.get("proxy", NO_SETTING),
        "package.version": probes.get("version", OLD),
    }


def download(name: str, chain: Mapping[str, Any]) -> Shown:
    return {f"network.{name}": chain}


def identity(present: bool, identifier: bool) -> Shown:
    return {
        "identity.onpremises": {"present": present, "path": "/etc/x.yml"},
        "network.environment": {"host_identifier": identifier},
        "imds.document": DOCUMENT,
    }


CONFIRMED = [
    ("endpoint-dns-failed", "no name", around(NO_NAME)),
    ("endpoint-unreachable", "refused", around(REFUSED)),
    ("endpoint-tls-failed", "expired", around(NO_TRUST)),
    ("endpoint-tls-failed", "2.x does not trust what this host does", around(INSPECTED, version=NEW)),
    ("endpoint-check-failed", "no name", around(NO_NAME)),
    ("endpoint-check-failed", "refused", around(REFUSED)),
    ("endpoint-check-failed", "no trust", around(NO_TRUST)),
    ("endpoint-check-failed", "the proxy refuses", around(PROXY_REFUSES)),
    ("endpoint-check-failed", "2.x does not trust what this host does", around(INSPECTED, version=NEW)),
    ("s3-unreachable", "no name", download("s3", NO_NAME)),
    ("s3-unreachable", "refused", download("s3", REFUSED)),
    ("s3-unreachable", "no trust", download("s3", NO_TRUST)),
    ("s3-unreachable", "the proxy refuses", download("s3", PROXY_REFUSES)),
    ("github-unreachable", "no name", download("github", NO_NAME)),
    ("github-unreachable", "refused", download("github", REFUSED)),
    ("github-unreachable", "no trust", download("github", NO_TRUST)),
    ("github-unreachable", "the proxy refuses", download("github", PROXY_REFUSES)),
    ("proxy-misconfigured", "not an address", {"network.proxy": {"configured": True, "parses": False}}),
    ("proxy-misconfigured", "it wants a password", around(PROXY_REFUSES)),
    ("proxy-misconfigured", "nobody listens there", around(PROXY_REFUSED)),
    ("proxy-misconfigured", "it refuses S3 alone", around(BY_PROXY, s3=PROXY_REFUSES)),
    ("proxy-misconfigured", "it opens TLS", around({**BY_PROXY, "issuer": "Corp"})),
    ("region-unknown", "a zone", around(NO_NAME, endpoint={**ENDPOINT, "region_valid": False})),
    ("host-identifier-mismatch", "a stray file", identity(present=True, identifier=False)),
    ("host-identifier-mismatch", "a variable", identity(present=False, identifier=True)),
    ("endpoint-operation-unknown", "a private address", around({**WELL, "private": True})),
    (
        "endpoint-operation-unknown",
        "an override",
        around(WELL, endpoint={**ENDPOINT, "secure": True, "source": "deploy_control_endpoint"}),
    ),
]
CONTRADICTED = [
    ("endpoint-dns-failed", "all is well", around(WELL)),
    ("endpoint-dns-failed", "another link", around(REFUSED)),
    ("endpoint-unreachable", "all is well", around(WELL)),
    ("endpoint-unreachable", "another link", around(NO_TRUST)),
    ("endpoint-unreachable", "the proxy's fault", around(PROXY_REFUSED)),
    ("endpoint-tls-failed", "all is well", around(WELL)),
    ("endpoint-tls-failed", "all is well for 2.x", around(WELL, version=NEW)),
    ("endpoint-tls-failed", "1.x trusts what this host does", around(INSPECTED)),
    (
        "endpoint-tls-failed",
        "in China others sign",
        around(INSPECTED, version=NEW, endpoint={**ENDPOINT, "partition_domain": "amazonaws.com.cn"}),
    ),
    ("endpoint-check-failed", "all is well", around(WELL)),
    ("endpoint-check-failed", "all is well through the proxy", around(BY_PROXY)),
    ("s3-unreachable", "all is well", download("s3", WELL)),
    ("s3-unreachable", "all is well through the proxy", download("s3", BY_PROXY)),
    ("github-unreachable", "all is well", download("github", WELL)),
    ("proxy-misconfigured", "there is none", around(WELL)),
    (
        "proxy-misconfigured",
        "it works",
        around(BY_PROXY, s3=BY_PROXY, proxy={"configured": True, "parses": True}),
    ),
    ("region-unknown", "a Region", around(WELL)),
    ("host-identifier-mismatch", "neither is there", identity(present=False, identifier=False)),
    ("endpoint-operation-unknown", "a public address", around(WELL)),
    (
        "endpoint-operation-unknown",
        "the right endpoint",
        around({**WELL, "private": True}, endpoint={**ENDPOINT, "secure": True}),
    ),
]
RULES = dict.fromkeys(id_ for id_, _, _ in CONFIRMED)


def judge(rule: Rule, shown: Shown, text: str | None = None) -> Finding:
    """The finding of a rule alone, from its own first sample that matches."""
    return judge_all([rule], text or next(each.text for each in rule.samples if each.match), shown)[0]


def judge_all(rules: list[Rule], text: str, shown: Shown) -> list[Finding]:
    def ask(name: str, about: Mapping[str, str]) -> Evidence:
        value = shown.get(name)
        return Evidence(name, "network", value, "" if value else "not seen", Outcome.PASS if value else Outcome.UNKNOWN)

    doctor = Doctor(rules)
    for record in records(text):
        doctor.observe(record)
    return doctor.findings(2e9, ask)


@pytest.mark.parametrize(("id_", "shown"), [row[::2] for row in CONFIRMED], ids=[f"{a}: {b}" for a, b, _ in CONFIRMED])
def test_confirmed(id_: str, shown: Shown) -> None:
    finding = judge(SHIPPED[id_], shown)
    assert (finding.state, finding.verdict) == (State.ACTIVE, Verdict.CONFIRMED)


@pytest.mark.parametrize(
    ("id_", "shown"), [row[::2] for row in CONTRADICTED], ids=[f"{a}: {b}" for a, b, _ in CONTRADICTED]
)
def test_contradicted(id_: str, shown: Shown) -> None:
    """It was logged, and the host does not show it any more: neither critical nor called healthy."""
    finding = judge(SHIPPED[id_], shown)
    assert (finding.state, finding.verdict) == (State.QUIET, Verdict.RULED_OUT)


@pytest.mark.parametrize("id_", RULES)
def test_not_to_be_seen(id_: str) -> None:
    """Without the network, or on a copied tree, the log stands."""
    finding = judge(SHIPPED[id_], {})
    assert (finding.state, finding.verdict) == (State.ACTIVE, Verdict.UNVERIFIED)


@pytest.mark.parametrize("id_", RULES)
def test_each_rule_has_a_row_of_each_kind(id_: str) -> None:
    assert id_ in {row[0] for row in CONTRADICTED}


# 2.x says the same whatever link breaks.
ANYTHING = (
    "2026-09-10 08:15:02 ERROR Error polling for host commands: CodeDeploy command service error: NetworkError: "
    "error sending request for url (https://codedeploy-commands.eu-west-1.amazonaws.com/)\n"
)
LINKS = {
    "no name": (NO_NAME, "endpoint-dns-failed", Verdict.CONFIRMED),
    "refused": (REFUSED, "endpoint-unreachable", Verdict.CONFIRMED),
    "no trust": (NO_TRUST, "endpoint-tls-failed", Verdict.CONFIRMED),
    "no trust of 2.x": (INSPECTED, "endpoint-tls-failed", Verdict.CONFIRMED),
    "the proxy refuses": (PROXY_REFUSES, "proxy-misconfigured", Verdict.CONFIRMED),
    "nobody is the proxy": (PROXY_REFUSED, "proxy-misconfigured", Verdict.CONFIRMED),
    "all is well now": (WELL, "endpoint-interrupted", Verdict.UNVERIFIED),
}


@pytest.mark.parametrize(("commands", "id_", "verdict"), LINKS.values(), ids=LINKS)
def test_one_line_many_causes(commands: Mapping[str, Any], id_: str, verdict: Verdict) -> None:
    (finding,) = judge_all(list(SHIPPED.values()), ANYTHING, around(commands, version=NEW))
    assert (finding.rule.id, finding.state, finding.verdict) == (id_, State.ACTIVE, verdict)


def test_what_works_now_is_shown_beside_it() -> None:
    (finding,) = judge_all(list(SHIPPED.values()), ANYTHING, around(WELL, version=NEW))
    assert "a.example answers with 403 in 35 ms, signed by Amazon" in [proof.text for proof in finding.evidence]


def test_the_endpoint_is_shown_beside_a_refusal() -> None:
    finding = judge(SHIPPED["command-access-denied"], {"imds.role": {"code": "Success"}, "network.endpoint": ENDPOINT})
    told = [proof.text for proof in finding.evidence]
    assert finding.verdict is Verdict.CONFIRMED
    assert "the agent's endpoint is https://a.example (source: identity document)" in told
