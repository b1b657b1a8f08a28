"""Addresses of servers, proxies and partitions, as people write them."""

from __future__ import annotations

import pytest

from agentdoctor.host import Host
from agentdoctor.model import Evidence
from agentdoctor.probes import Look, _route
from agentdoctor.probes._address import goes_around, proxy, target

from .conftest import cases

TARGETS: list[tuple[str, str, str]] = [
    ("https", "https://a.example", "https://a.example"),
    ("with a page", "https://a.example/x?y", "https://a.example"),
    ("with a port", "https://a.example:8443/", "https://a.example:8443"),
    ("its own port", "https://a.example:443", "https://a.example"),
    ("plain", "http://127.0.0.1:80", "http://127.0.0.1"),
    ("user and password", "https://canary:canary@a.example", "https://a.example"),
    ("capitals", "HTTPS://A.Example", "https://a.example"),
]


@cases(TARGETS)
def test_targets(url: str, expected: str) -> None:
    assert target(url).url == expected


@pytest.mark.parametrize("url", ["", "a.example", "//a.example", "ftp://a.example", "https://", "https://a:canary/"])
def test_no_targets(url: str) -> None:
    with pytest.raises(ValueError, match=r".*") as caught:
        target(url)
    assert type(caught.value) is ValueError


PROXIES: list[tuple[str, str, bool, str]] = [
    ("as it must be", "http://proxy.corp:3128", False, "proxy.corp:3128"),
    ("without a port", "http://proxy.corp", False, "proxy.corp:80"),
    ("with a password", "http://canary:can#ary@proxy.corp:3128", False, ""),
    ("with a quoted password", "http://canary:can%23ary@proxy.corp:3128/", False, "proxy.corp:3128"),
    ("without a scheme, for 1.x", "proxy.corp:3128", False, ""),
    ("without a scheme, for 2.x", "proxy.corp:3128", True, "proxy.corp:3128"),
    ("TLS to the proxy", "https://proxy.corp:3128", False, "proxy.corp:3128"),
    ("no host", "http://", True, ""),
    ("no number", "http://proxy.corp:port", False, ""),
]


@cases(PROXIES)
def test_proxy_addresses(uri: str, bare: bool, expected: str) -> None:
    try:
        found = proxy(uri, bare)
    except ValueError:
        assert expected == ""
    else:
        assert found.text == expected
        assert "canary" not in repr(found)


AROUND: list[tuple[str, str, str, bool]] = [
    ("itself", "169.254.169.254", "169.254.169.254", True),
    ("among others", "localhost, 169.254.169.254 ,.corp", "169.254.169.254", True),
    ("a domain", ".amazonaws.com", "codedeploy-commands.eu-west-1.amazonaws.com", True),
    ("a domain without a dot", "amazonaws.com", "s3.eu-west-1.amazonaws.com", True),
    ("a domain with a star", "*.amazonaws.com", "s3.eu-west-1.amazonaws.com", True),
    ("everything", "*", "a.example", True),
    ("the end of a name alike", "aws.com", "s3.eu-west-1.amazonaws.com", False),
    ("nothing", "", "169.254.169.254", False),
    ("only commas", " , ", "169.254.169.254", False),
    ("others", "localhost,10.0.0.1", "169.254.169.254", False),
]


@cases(AROUND)
def test_around_the_proxy(listed: str, host: str, expected: bool) -> None:
    assert goes_around({"no_proxy": listed}, host) is expected
    assert goes_around({"NO_PROXY": listed}, host) is expected


DOMAINS = [
    ("of the world", "eu-west-1", "amazonaws.com"),
    ("GovCloud", "us-gov-west-1", "amazonaws.com"),
    ("China", "cn-north-1", "amazonaws.com.cn"),
    ("sovereign", "eusc-de-east-1", "amazonaws.eu"),
    ("iso", "us-iso-east-1", "c2s.ic.gov"),
    ("isob", "us-isob-east-1", "sc2s.sgov.gov"),
]


def asked(answer: Evidence) -> Look:
    """A look at a host whose metadata service says that of AWS's services."""
    return Look(Host(), {}, lambda _: answer)


@cases(DOMAINS)
def test_domains(region: str, expected: str) -> None:
    assert _route.domain(asked(Evidence("imds.services", "imds")), region) == expected
    assert _route.is_region(region)


def test_the_metadata_service_knows_better() -> None:
    """As in a partition that is younger than the table."""
    said = Evidence("imds.services", "imds", {"partition": "aws-new", "domain": "amazonaws.new"})

    assert _route.domain(asked(said), "new-west-1") == "amazonaws.new"
    assert _route.domain(asked(Evidence("imds.services", "imds", {"domain": None})), "new-west-1") == "amazonaws.com"


@pytest.mark.parametrize("text", ["", "us-east-1a", "us-east", "US-EAST-1", "us-east-1\n", "-1", "https://x"])
def test_no_regions(text: str) -> None:
    assert not _route.is_region(text)
