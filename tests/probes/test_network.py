"""The probes of the way out: what the agent's files say, and peers on 127.0.0.1; nothing here leaves it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from agentdoctor.host import Host
from agentdoctor.model import Outcome
from agentdoctor.words import say, tell

from .conftest import Answers, Listen, Start, ask, cases, live, seen_with, write
from .servers import Peer

AGENT = "/etc/codedeploy-agent/conf/codedeployagent.yml"
VERSION = "/opt/codedeploy-agent/.version"
OLD, NEW = {VERSION: "agent_version: OFFICIAL_1.8.1-99_deb"}, {VERSION: "agent_version: 2.1.0"}
PROXY = "http://proxy.corp:3128"
DOCUMENT: Answers = {"imds.document": {"region": "eu-west-1"}}

ENVIRONMENTS: list[tuple[str, dict[str, str], dict[str, Any]]] = [
    (
        "nothing",
        {"PATH": "/bin"},
        {
            "region": "",
            "host_identifier": False,
            "http_proxy": "",
            "https_proxy": "",
            "no_proxy_holds_metadata": None,
        },
    ),
    ("a Region and a name", {"AWS_REGION": "eu-west-1", "AWS_HOST_IDENTIFIER": "canary"}, {"region": "eu-west-1"}),
    (
        "a proxy with a password",
        {"http_proxy": "http://canary:canary@p:1", "HTTPS_PROXY": "p:2"},
        {"http_proxy": "p:1", "https_proxy": "p:2", "no_proxy_holds_metadata": False},
    ),
    (
        "and the metadata service around it",
        {"HTTP_PROXY": "http://p:1", "NO_PROXY": "169.254.169.254"},
        {"http_proxy": "p:1", "no_proxy_holds_metadata": True},
    ),
    ("a proxy that cannot be read", {"http_proxy": "http://canary:x:y"}, {"http_proxy": None}),
]


@cases(ENVIRONMENTS)
def test_environment(process: Start, found: dict[str, str], expected: dict[str, Any]) -> None:
    seen = seen_with("network.environment", Host(), {"process.agent": {"master_pid": process(found)}})
    assert {name: seen[name] for name in expected} == expected
    assert "canary" not in repr(seen)


def test_a_copied_tree_has_no_environment(tmp_path: Path) -> None:
    """Whatever process of this machine has the number that was recorded."""
    recorded = {"process.agent": {"value": {"master_pid": os.getpid(), "generation": "2.x"}}}
    host = Host(root=str(tmp_path), live=False, recorded={**recorded, "imds.document": {"value": {"region": "x-y-1"}}})
    seen = ask("network.endpoint", host).value
    assert seen is not None
    assert (seen["region"], seen["proxy"]) == ("x-y-1", None)
    assert ask("network.environment", host).outcome is Outcome.SKIP


SETTINGS = {"network.commands": "deploy_control_endpoint", "network.s3": "s3_endpoint_override"}


@pytest.mark.parametrize("name", SETTINGS)
def test_a_chain_to_where_the_settings_lead(tmp_path: Path, listen: Listen, name: str) -> None:
    peer = listen(Peer(404))
    host = live(tmp_path, {**OLD, AGENT: f":{SETTINGS[name]}: http://127.0.0.1:{peer.port}\n"})
    seen = seen_with(name, host, DOCUMENT)
    assert (seen["host"], seen["dns"], seen["tcp"], seen["http"]) == ("127.0.0.1", True, True, 404)


@pytest.mark.parametrize(("name", "host"), [
    ("network.commands", "codedeploy-commands.eu-west-1.amazonaws.com"),
    ("network.s3", "s3.eu-west-1.amazonaws.com"),
    ("network.github", "api.github.com"),
])  # fmt: skip
def test_a_chain_through_the_proxy(tmp_path: Path, listen: Listen, name: str, host: str) -> None:
    peer = listen(Peer(407))
    files = {**NEW, AGENT: f":proxy_uri: http://canary:canary@127.0.0.1:{peer.port}\n"}
    seen = seen_with(name, live(tmp_path, files), DOCUMENT)
    assert (seen["host"], seen["proxy_ok"], seen["proxy_status"], seen["tls"]) == (host, False, 407, None)
    assert peer.heads[0].startswith(f"CONNECT {host}:443 HTTP/1.1\r\n")
    assert "canary" not in repr(seen)


PROXY_SETTINGS: list[tuple[str, dict[str, str | None], Answers, dict[str, Any]]] = [
    (
        "none",
        {AGENT: ":proxy_uri:\n"},
        {},
        {
            "configured": False,
            "parses": None,
            "host": "",
            "port": 0,
            "connects": None,
            "status": None,
            "no_proxy_holds_metadata": None,
        },
    ),
    (
        "one that works",
        {AGENT: f":proxy_uri: {PROXY}\n"},
        {
            "network.commands": {"tcp": True, "proxy_status": 200},
            "network.environment": {"no_proxy_holds_metadata": True},
        },
        {
            "configured": True,
            "parses": True,
            "host": "proxy.corp",
            "port": 3128,
            "connects": True,
            "status": 200,
            "no_proxy_holds_metadata": True,
        },
    ),
    ("not looked at", {AGENT: f":proxy_uri: {PROXY}\n"}, {}, {"configured": True, "parses": True, "connects": None}),
    (
        "one that cannot be read",
        {AGENT: ":proxy_uri: canary:3128\n"},
        {},
        {"configured": True, "parses": False, "host": ""},
    ),
]


@cases(PROXY_SETTINGS)
def test_proxy_setting(
    tmp_path: Path, files: dict[str, str | None], answers: Answers, expected: dict[str, Any]
) -> None:
    seen = seen_with("network.proxy", write(tmp_path, files), answers)
    assert {name: seen[name] for name in expected} == expected
    assert "canary" not in repr(seen)


WELL = {
    "host": "h", "port": 443, "proxy": "", "dns": True, "tcp": True, "tls": True, "issuer": "Amazon",
    "http": 403, "ms": 35.2, "proxy_ok": None, "proxy_status": None,
}  # fmt: skip
WORDS: list[tuple[str, dict[str, Any], str]] = [
    ("all is well", {}, "h answers with 403 in 35 ms, signed by Amazon"),
    ("no name", {"dns": False, "dns_error": "no such name"}, "the name of h:443 does not resolve (no such name)"),
    ("no connection", {"tcp": False, "tcp_error": "refused"}, "h:443 takes no connection (refused)"),
    ("no proxy", {"tcp": False, "tcp_error": "refused", "proxy": "p:1"}, "p:1 takes no connection (refused)"),
    (
        "a proxy that refuses",
        {"proxy_ok": False, "proxy_status": 407, "proxy": "p:1"},
        "the proxy p:1 does not connect to h (HTTP 407)",
    ),
    (
        "a proxy that is none",
        {"proxy_ok": False, "proxy_error": "timed out", "proxy": "p:1"},
        "the proxy p:1 does not connect to h (timed out)",
    ),
    (
        "no trust",
        {"tls": False, "tls_error": "the certificate has expired", "issuer": "Corp"},
        "TLS with h fails: the certificate has expired, signed by Corp",
    ),
    (
        "no answer",
        {"http": None, "http_error": "connection closed"},
        "h takes connections and gives no HTTP answer (connection closed)",
    ),
]


@cases(WORDS)
def test_words(changes: dict[str, Any], expected: str) -> None:
    assert say("network.commands", "tcp", False, {**WELL, **changes}) == expected
    assert tell("network.s3", {**WELL, **changes}) == expected
