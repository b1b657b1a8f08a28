"""The way out of this host, as the agent takes it: to which endpoint, through which proxy, and where it breaks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agentdoctor.probes import CannotLook, Look, Values, _configuration, _route, probe
from agentdoctor.probes._address import Proxy, Target, goes_around, proxy, variable
from agentdoctor.probes._chain import TALK_SECONDS, Way, follow
from agentdoctor.probes._connection import Deadline
from agentdoctor.probes._environment import of_master

METADATA = "169.254.169.254"
# A download asks the first, which sends it on to the second. The first page costs nothing of the number of requests
# that GitHub grants an address (GitHub REST API, "Get rate limit status for the authenticated user").
GITHUB = (("api.github.com", "/rate_limit"), ("codeload.github.com", "/"))


@probe("network.environment", source="process")
def environment(look: Look) -> Values:
    """``{region, host_identifier, http_proxy, https_proxy, no_proxy_holds_metadata}`` of the agent's master.

    ``region`` is AWS_REGION, "" if not set; ``host_identifier``: AWS_HOST_IDENTIFIER is set. Proxies are host:port
    without user and password, "" if not set, None if they cannot be read. ``no_proxy_holds_metadata`` is None where
    no proxy for plain HTTP is set, so that it does not matter.
    """
    found = of_master(look)
    plain = _shown(found, "http_proxy")
    return {
        "region": found.get("AWS_REGION") or "",
        "host_identifier": bool(found.get("AWS_HOST_IDENTIFIER")),
        "http_proxy": plain,
        "https_proxy": _shown(found, "https_proxy"),
        "no_proxy_holds_metadata": None if plain == "" else goes_around(found, METADATA),
    }


def _shown(found: Mapping[str, str], name: str) -> str | None:
    uri = variable(found, name)
    try:
        return proxy(uri, bare=True).text if uri else ""
    except ValueError:
        return None


@probe("network.endpoint", source="disk", live=False)
def endpoint(look: Look) -> Values:
    """``{host, port, url, region, region_valid, partition_domain, source, proxy, secure}`` of the agent's commands.

    ``source`` of the name: deploy_control_endpoint, else what the Region comes from: on-premises file, AWS_REGION,
    identity document. ``region_valid``: it has the form of a Region; None where it is not known and not needed.
    ``proxy``: host:port, "" for none, None if not known. ``secure``: the endpoint that checks IAM permissions
    (enable_auth_policy).
    """
    values = _route.settings(look)
    server, source = _route.commands(look, values)
    name = _region_or_nothing(look)
    return {
        "host": server.host,
        "port": server.port,
        "url": server.url,
        "region": name,
        "region_valid": None if name is None else _route.is_region(name),
        "partition_domain": None if name is None else _route.domain(look, name),
        "source": source,
        "proxy": _proxy_text(look, values, server),
        "secure": server.host.startswith("codedeploy-commands-secure"),
    }


def _region_or_nothing(look: Look) -> str | None:
    try:
        return _route.region(look)[0]
    except CannotLook:
        return None


def _proxy_text(look: Look, values: Mapping[str, Any], server: Target) -> str | None:
    try:
        found = _route.proxy_of_agent(look, values, server.host)
    except CannotLook:
        return None
    return found.text if found else ""


@probe("network.commands", source="network", network=True)
def commands(look: Look) -> Values:
    """The chain to the agent's endpoint, each link by itself; what was not reached is None.

    ``{host, port, via_proxy, proxy, dns, addresses, private, tcp, proxy_ok, proxy_status, tls, issuer, http,
    date_offset, ms}`` and for dns, tcp, proxy, tls and http a ``..._error``, "" where there is none. ``private``: no
    address is one of the internet, so a VPC endpoint has the name. ``proxy_status`` answers CONNECT. ``issuer``: the
    organisation that signed the certificate that was shown, trusted or not. ``http``: any status proves the chain.
    ``date_offset``: seconds that the host's clock is ahead of the answer's Date. ``ms`` of all.

    Through a proxy, dns, addresses and tcp are the proxy's, which looks the server up by itself. Trust is that of
    this host's OpenSSL, as in 1.x; 2.x has its own list of authorities for this endpoint.
    """
    deadline = Deadline(TALK_SECONDS)
    values = _route.settings(look)
    server, _ = _route.commands(look, values)
    return follow(server, _route.proxy_of_agent(look, values, server.host), look.host.now, deadline)


@probe("network.s3", source="network", network=True, also=("host",))
def s3(look: Look) -> Values:
    """The same values for S3: for ``host``, the one that the log names, if it is one of S3 and not one of the past.

    Else for S3 in the agent's Region, or where s3_endpoint_override leads 1.x; 2.x passes over that.
    """
    deadline = Deadline(TALK_SECONDS)
    values = _route.settings(look)
    server = _route.s3(look, values, look.about.get("host", ""))
    return follow(server, _route.proxy_of_agent(look, values, server.host, "s3"), look.host.now, deadline)


@probe("network.github", source="network", network=True)
def github(look: Look) -> Values:
    """The same values for api.github.com or, where nothing is wrong there, for codeload.github.com."""
    deadline = Deadline(TALK_SECONDS)
    values = _route.settings(look)
    seen: Values = {}
    for host, page in GITHUB:
        way = _route.proxy_of_agent(look, values, host, "github")
        seen = follow(Target("https", host, 443), way, look.host.now, deadline, Way(path=page))
        if seen["http"] is None:
            break
    return seen


@probe("network.proxy", source="disk", live=False)
def proxy_(look: Look) -> Values:
    """``{configured, parses, host, port, connects, status, no_proxy_holds_metadata}`` of proxy_uri, "" and 0 for none.

    ``connects`` and ``status`` (of CONNECT) are those of network.commands, None where that could not look.
    ``no_proxy_holds_metadata`` is that of network.environment. User and password are no part of it.
    """
    values = _route.settings(look)
    uri = _configuration.text(values, "proxy_uri")
    known = _proxy_or_nothing(uri, _route.generation(look) == "2.x")
    seen: Mapping[str, Any] = (look.ask("network.commands").value or {}) if known else {}
    return {
        "configured": bool(uri),
        "parses": known is not None if uri else None,
        "host": known.host if known else "",
        "port": known.port if known else 0,
        "connects": seen.get("tcp"),
        "status": seen.get("proxy_status"),
        "no_proxy_holds_metadata": (look.ask("network.environment").value or {}).get("no_proxy_holds_metadata"),
    }


def _proxy_or_nothing(uri: str, bare: bool) -> Proxy | None:
    try:
        return proxy(uri, bare) if uri else None
    except ValueError:
        return None
