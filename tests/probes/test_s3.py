"""Names of S3 in logs: AWS's own are looked at, all others are text of strangers."""

from __future__ import annotations

from pathlib import Path

import pytest

from agentdoctor.model import Evidence
from agentdoctor.probes import CannotLook, Look, _route, find
from agentdoctor.probes._s3 import is_s3

from .conftest import Answers, Listen, ask, cases, live, write
from .servers import Peer

AGENT = "/etc/codedeploy-agent/conf/codedeployagent.yml"
VERSION = "/opt/codedeploy-agent/.version"
OLD, NEW = {VERSION: "agent_version: OFFICIAL_1.8.1-99_deb"}, {VERSION: "agent_version: 2.1.0"}
DOCUMENT: Answers = {"imds.document": {"region": "eu-west-1"}, "imds.services": {"domain": None}}
VPCE = "bucket.vpce-0a1b-5e6f.s3.eu-west-1.vpce.amazonaws.com"

NAMES = [
    ("of a Region", "s3.eu-west-1.amazonaws.com", True),
    ("of the world", "s3.amazonaws.com", True),
    ("a bucket", "my-bucket.s3.eu-west-1.amazonaws.com", True),
    ("a bucket as the agent names it in us-east-1", "mybucket.s3.amazonaws.com", True),
    ("a bucket with dots", "my.bucket.s3.eu-west-1.amazonaws.com", True),
    ("a bucket of an old name", "My_Bucket.s3.amazonaws.com".lower(), True),
    ("with a dash", "bucket.s3-us-west-2.amazonaws.com", True),
    ("dual stack", "bucket.s3.dualstack.eu-west-1.amazonaws.com", True),
    ("FIPS", "bucket.s3-fips.us-gov-west-1.amazonaws.com", True),
    ("FIPS and dual stack", "s3-fips.dualstack.us-east-2.amazonaws.com", True),
    ("accelerated", "bucket.s3-accelerate.amazonaws.com", True),
    ("accelerated, dual stack", "bucket.s3-accelerate.dualstack.amazonaws.com", True),
    ("a VPC endpoint", f"mybucket.{VPCE}", True),
    ("an access point", "ap-123456789012.s3-accesspoint.eu-west-1.amazonaws.com", True),
    ("one zone", "b--euw1-az1--x-s3.s3express-euw1-az1.eu-west-1.amazonaws.com", True),
    ("China", "bucket.s3.cn-north-1.amazonaws.com.cn", True),
    ("Europe", "bucket.s3.eusc-de-east-1.amazonaws.eu", True),
    ("GovCloud", "s3.us-gov-east-1.amazonaws.com", True),
    ("somebody's", "s3.evil.example", False),
    ("somebody's that ends alike", "s3.eu-west-1.amazonaws.com.evil.example", False),
    ("somebody's domain", "s3.eu-west-1.evilamazonaws.com", False),
    ("a load balancer, which anybody may rent", "s3.evil-1.eu-west-1.elb.amazonaws.com", False),
    ("one that begins like S3", "s3-evil-123.eu-west-1.elb.amazonaws.com", False),
    ("an instance", "ec2-203-0-113-1.eu-west-1.compute.amazonaws.com", False),
    ("a word that ends in s3", "evil-s3.eu-west-1.amazonaws.com", False),
    ("another service", "codedeploy-commands.eu-west-1.amazonaws.com", False),
    ("what is behind it is no Region", "s3.internal.amazonaws.com", False),
    ("a site", "bucket.s3-website-us-east-1.amazonaws.com", False),
    ("a private address", "127.0.0.1", False),
    ("the metadata service", "169.254.169.254", False),
    ("capitals", "S3.EU-WEST-1.AMAZONAWS.COM", False),
    ("nothing", "", False),
    ("the domain", "amazonaws.com", False),
    ("empty labels", "a..s3.amazonaws.com", False),
    ("a dot first", ".s3.amazonaws.com", False),
    ("a dot last", "s3.amazonaws.com.", False),
    ("a slash", "a/b.s3.amazonaws.com", False),
    ("a line break", "a\r\nHost: x.s3.amazonaws.com", False),
    ("letters that only look like it", "buck\u0435t.s3.amazonaws.com", False),
    ("longer than a name may be", "a." * 120 + "s3.amazonaws.com", False),
    ("longer than a label may be", "a" * 64 + ".s3.amazonaws.com", False),
]


@cases(NAMES)
def test_names(name: str, expected: bool) -> None:
    assert is_s3(name) is expected


REGIONAL = "https://s3.eu-west-1.amazonaws.com"
OVERRIDE = f":s3_endpoint_override: https://{VPCE}\n"
TARGETS: list[tuple[str, dict[str, str | None], str, str]] = [
    ("a bucket", {}, "b.s3.us-east-1.amazonaws.com", "https://b.s3.us-east-1.amazonaws.com"),
    ("in capitals", {}, "B.S3.Amazonaws.COM", "https://b.s3.amazonaws.com"),
    ("none is named", {}, "", REGIONAL),
    ("a stranger's", {}, "s3.evil.example", REGIONAL),
    ("that of another failure", {}, "codedeploy-commands.eu-west-1.amazonaws.com", REGIONAL),
    ("where the override leads", {**OLD, AGENT: OVERRIDE}, f"b.{VPCE}", f"https://b.{VPCE}"),
    ("before there was an override", {**OLD, AGENT: OVERRIDE}, "b.s3.eu-west-1.amazonaws.com", f"https://{VPCE}"),
    ("2.x passes over the override", {**NEW, AGENT: OVERRIDE}, "b.s3.amazonaws.com", "https://b.s3.amazonaws.com"),
    (
        "an override that is not AWS",
        {**OLD, AGENT: ":s3_endpoint_override: https://store.corp:9000\n"},
        "s3.store.corp",
        "https://store.corp:9000",
    ),
]


@cases(TARGETS)
def test_the_host_that_the_log_names(tmp_path: Path, files: dict[str, str | None], logged: str, expected: str) -> None:
    host = write(tmp_path, files)
    asked = Look(host, {}, lambda name: ask(name, host) if name not in DOCUMENT else Evidence(name, "", DOCUMENT[name]))
    assert _route.s3(asked, _route.settings(asked), logged).url == expected


def test_no_region_is_needed_for_it(tmp_path: Path) -> None:
    host = write(tmp_path, {})
    asked = Look(host, {}, lambda name: ask(name, host))
    assert _route.s3(asked, {}, "b.s3.amazonaws.com").host == "b.s3.amazonaws.com"
    with pytest.raises(CannotLook):
        _route.s3(asked, {}, "s3.evil.example")


@pytest.mark.parametrize(("logged", "asked"), [
    ("b.s3.dualstack.us-west-2.amazonaws.com", "b.s3.dualstack.us-west-2.amazonaws.com"),
    ("s3.evil.example", "s3.eu-west-1.amazonaws.com"),
])  # fmt: skip
def test_the_chain_goes_there(tmp_path: Path, listen: Listen, logged: str, asked: str) -> None:
    """To a proxy of ours, which is asked for the host and never for a stranger's."""
    peer = listen(Peer(407))
    host = live(tmp_path, {**OLD, AGENT: f":proxy_uri: http://127.0.0.1:{peer.port}\n"})
    look = Look(
        host, {"host": logged}, lambda name: Evidence(name, "", DOCUMENT[name]) if name in DOCUMENT else ask(name, host)
    )
    assert find("network.s3").look(look)["host"] == asked
    assert peer.heads[0].startswith(f"CONNECT {asked}:443 HTTP/1.1\r\n")
