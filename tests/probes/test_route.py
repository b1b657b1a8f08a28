"""Where the agent's connections go by its own files, and through which proxy; nothing is opened here."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from agentdoctor.host import Host
from agentdoctor.model import Evidence
from agentdoctor.probes import CannotLook, Look, _route

from .conftest import Answers, Start, ask, cases, live, seen_with, write

AGENT = "/etc/codedeploy-agent/conf/codedeployagent.yml"
ON_PREMISES = "/etc/codedeploy-agent/conf/codedeploy.onpremises.yml"
VERSION = "/opt/codedeploy-agent/.version"
OLD, NEW = {VERSION: "agent_version: OFFICIAL_1.8.1-99_deb"}, {VERSION: "agent_version: 2.1.0"}
DOCUMENT: Answers = {"imds.document": {"region": "eu-west-1"}}


def on_premises(region: str) -> str:
    return f"---\nregion: {region}\niam_user_arn: arn:x\naws_access_key_id: AKIACANARY\naws_secret_access_key: canary\n"


ENDPOINTS: list[tuple[str, dict[str, str | None], Answers, dict[str, Any]]] = [
    (
        "nothing is set",
        {},
        DOCUMENT,
        {
            "host": "codedeploy-commands.eu-west-1.amazonaws.com",
            "port": 443,
            "url": "https://codedeploy-commands.eu-west-1.amazonaws.com",
            "region": "eu-west-1",
            "region_valid": True,
            "partition_domain": "amazonaws.com",
            "source": "identity document",
            "proxy": "",
            "secure": False,
        },
    ),
    (
        "enable_auth_policy",
        {AGENT: ":enable_auth_policy: true\n"},
        DOCUMENT,
        {"host": "codedeploy-commands-secure.eu-west-1.amazonaws.com", "secure": True},
    ),
    (
        "enable_auth_policy switched off",
        {AGENT: ":enable_auth_policy: false\n"},
        DOCUMENT,
        {"host": "codedeploy-commands.eu-west-1.amazonaws.com", "secure": False},
    ),
    (
        "FIPS",
        {AGENT: "use_fips_mode: true\nenable_auth_policy: true\n"},
        DOCUMENT,
        {"host": "codedeploy-commands-secure-fips.eu-west-1.amazonaws.com", "secure": True},
    ),
    (
        "China",
        {},
        {"imds.document": {"region": "cn-north-1"}},
        {"host": "codedeploy-commands.cn-north-1.amazonaws.com.cn", "partition_domain": "amazonaws.com.cn"},
    ),
    (
        "AWS_REGION",
        {},
        {**DOCUMENT, "network.environment": {"region": "us-east-1a"}},
        {"region": "us-east-1a", "region_valid": False, "source": "AWS_REGION"},
    ),
    (
        "the on-premises file",
        {ON_PREMISES: on_premises("us-east-2")},
        {**DOCUMENT, "network.environment": {"region": "us-east-1"}},
        {"host": "codedeploy-commands.us-east-2.amazonaws.com", "source": "on-premises file"},
    ),
    (
        "an override",
        {AGENT: ":deploy_control_endpoint: https://canary:canary@vpce-1.example:8443/\n"},
        DOCUMENT,
        {"url": "https://vpce-1.example:8443", "region": "eu-west-1", "source": "deploy_control_endpoint"},
    ),
    (
        "an override, the Region is not known",
        {AGENT: ":deploy_control_endpoint: https://codedeploy-commands-secure.x.example\n"},
        {},
        {"region": None, "region_valid": None, "partition_domain": None, "secure": True},
    ),
    (
        "a proxy with a password that holds a comment sign",
        {AGENT: ":proxy_uri: http://canary:can%23ary@proxy.corp:3128\n"},
        DOCUMENT,
        {"proxy": "proxy.corp:3128"},
    ),
    ("a proxy that 1.x cannot read", {**OLD, AGENT: ":proxy_uri: proxy.corp:3128\n"}, DOCUMENT, {"proxy": None}),
    ("the same for 2.x", {**NEW, AGENT: ":proxy_uri: proxy.corp:3128\n"}, DOCUMENT, {"proxy": "proxy.corp:3128"}),
    ("2.x, the environment is not known", NEW, DOCUMENT, {"proxy": None}),
]


@cases(ENDPOINTS)
def test_endpoint(tmp_path: Path, files: dict[str, str | None], answers: Answers, expected: dict[str, Any]) -> None:
    seen = seen_with("network.endpoint", write(tmp_path, files), answers)
    assert {name: seen[name] for name in expected} == expected
    assert "canary" not in repr(seen).lower()


NO_ENDPOINTS: list[tuple[str, dict[str, str | None], Answers, str]] = [
    ("nobody knows the Region", {}, {}, "imds.document: no answer"),
    ("the document names none", {}, {"imds.document": {"region": None}}, "names no Region"),
    ("the on-premises file names none", {ON_PREMISES: "iam_user_arn: arn:x\n"}, DOCUMENT, "names no Region"),
    ("the on-premises file is torn", {ON_PREMISES: "aws_secret_access_key: [canary\n"}, DOCUMENT, "is not YAML"),
    ("the configuration is torn", {AGENT: ":proxy_uri: [canary\n"}, DOCUMENT, "is not YAML"),
    ("the configuration is no map", {AGENT: "- canary\n"}, DOCUMENT, "is not a map"),
    ("an override that is none", {AGENT: ":deploy_control_endpoint: canary\n"}, DOCUMENT, "names no http"),
    ("an odd port", {AGENT: ":deploy_control_endpoint: https://a:canary/\n"}, DOCUMENT, "names no http"),
]


@cases(NO_ENDPOINTS)
def test_no_endpoint(tmp_path: Path, files: dict[str, str | None], answers: Answers, reason: str) -> None:
    with pytest.raises(CannotLook, match=reason) as caught:
        seen_with("network.endpoint", write(tmp_path, files), answers)
    assert "canary" not in str(caught.value)


AGES: list[tuple[str, str, dict[str, float | None], bool]] = [
    ("the configuration is newer", AGENT, {"master_started": 900.0, "worker_started": 1100.0}, False),
    ("the configuration is older", AGENT, {"master_started": 1100.0, "worker_started": 1100.0}, True),
    (
        "the on-premises file is newer than the worker",
        ON_PREMISES,
        {"master_started": 0.0, "worker_started": 0.0},
        False,
    ),
    ("a worker after it", ON_PREMISES, {"master_started": 900.0, "worker_started": 1100.0}, True),
    ("nothing runs", AGENT, {"master_started": None, "worker_started": None}, True),
]


@cases(AGES)
def test_what_the_agent_has_not_read_is_not_its_setting(
    tmp_path: Path, file: str, seen: dict[str, float | None], usable: bool
) -> None:
    host = live(tmp_path, {file: "region: eu-west-1\n"})
    os.utime(host.path(file), (1000.0, 1000.0))
    answers: Answers = {**DOCUMENT, "process.agent": seen}
    if usable:
        assert seen_with("network.endpoint", host, answers)["region"] == "eu-west-1"
    else:
        with pytest.raises(CannotLook, match="was changed after the agent had started"):
            seen_with("network.endpoint", host, answers)


S3: list[tuple[str, dict[str, str | None], str]] = [
    ("of the Region", {}, "https://s3.eu-west-1.amazonaws.com"),
    ("FIPS", {AGENT: ":use_fips_mode: true\n"}, "https://s3-fips.eu-west-1.amazonaws.com"),
    ("an override", {**OLD, AGENT: ":s3_endpoint_override: https://s3.example\n"}, "https://s3.example"),
    (
        "an override that 2.x passes over",
        {**NEW, AGENT: ":s3_endpoint_override: https://s3.example\n"},
        "https://s3.eu-west-1.amazonaws.com",
    ),
]


@cases(S3)
def test_s3_target(tmp_path: Path, files: dict[str, str | None], expected: str) -> None:
    host = write(tmp_path, files)
    asked = Look(host, {}, lambda name: ask(name, host) if name not in DOCUMENT else Evidence(name, "", DOCUMENT[name]))
    assert _route.s3(asked, _route.settings(asked)).url == expected


PROXY = "http://proxy.corp:3128"
VARIABLES = {"HTTPS_PROXY": "http://env.corp:8080", "NO_PROXY": ".internal"}
WHICH_PROXY: list[tuple[str, str, str, str, dict[str, str] | None, str]] = [
    ("1.x, commands", "1.x", "commands", PROXY, VARIABLES, "proxy.corp:3128"),
    ("1.x, commands, only the environment", "1.x", "commands", "", VARIABLES, ""),
    ("1.x, S3", "1.x", "s3", PROXY, VARIABLES, "proxy.corp:3128"),
    ("1.x, GitHub", "1.x", "github", PROXY, VARIABLES, "env.corp:8080"),
    ("1.x, GitHub, the environment is not known", "1.x", "github", PROXY, None, ""),
    ("2.x, commands", "2.x", "commands", PROXY, VARIABLES, "proxy.corp:3128"),
    ("2.x, commands, only the environment", "2.x", "commands", "", VARIABLES, "env.corp:8080"),
    ("2.x, commands, around the proxy", "2.x", "commands", "", {**VARIABLES, "NO_PROXY": "*"}, ""),
    ("2.x, commands, nothing", "2.x", "commands", "", {"PATH": "/bin"}, ""),
    ("2.x, commands, the environment is not known", "2.x", "commands", "", None, "not known"),
    ("2.x, S3, only the environment", "2.x", "s3", "", VARIABLES, ""),
    ("2.x, GitHub", "2.x", "github", PROXY, VARIABLES, "proxy.corp:3128"),
    ("1.x, plain HTTP whatever the scheme", "1.x", "commands", "https://proxy.corp:3128", None, "proxy.corp:3128"),
    ("2.x, TLS to the proxy", "2.x", "commands", "https://proxy.corp:3128", None, "not known"),
    ("2.x, a proxy that cannot be read", "2.x", "commands", "http://[", VARIABLES, "not known"),
]


@cases(WHICH_PROXY)
def test_which_proxy(
    process: Start, generation: str, whose: str, uri: str, found: dict[str, str] | None, expected: str
) -> None:
    agent = {"generation": generation, "master_pid": 0 if found is None else process(found)}
    asked = Look(Host(), {}, lambda name: Evidence(name, "", agent))
    try:
        seen = _route.proxy_of_agent(asked, {"proxy_uri": uri}, "a.example", whose)
    except CannotLook:
        assert expected == "not known"
    else:
        assert (seen.text if seen else "") == expected
