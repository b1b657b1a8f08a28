"""Words for what ``probes/network.py`` sees."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agentdoctor.words import Phrase


def _endpoint(value: Mapping[str, Any]) -> str:
    way = f" through {value['proxy']}" if value.get("proxy") else ""
    return f"the agent's endpoint is {value.get('url')}{way} (source: {value.get('source')})"


def _chain(value: Mapping[str, Any]) -> str:
    """The first link that does not hold, or how well all of them do."""
    first = value.get("proxy") or f"{value.get('host')}:{value.get('port')}"
    if value.get("dns") is False:
        return f"the name of {first} does not resolve ({value.get('dns_error')})"
    if value.get("tcp") is False:
        return f"{first} takes no connection ({value.get('tcp_error')})"
    if value.get("proxy_ok") is False:
        return f"the proxy {first} does not connect to {value.get('host')} ({_refusal(value)})"
    signed = f", signed by {value['issuer']}" if value.get("issuer") else ""
    if value.get("tls") is False:
        return f"TLS with {value.get('host')} fails: {value.get('tls_error')}{signed}"
    if value.get("http") is None:
        return f"{value.get('host')} takes connections and gives no HTTP answer ({value.get('http_error')})"
    return f"{value.get('host')} answers with {value['http']} in {value.get('ms') or 0:.0f} ms{signed}"


def _refusal(value: Mapping[str, Any]) -> str:
    return f"HTTP {value['proxy_status']}" if value.get("proxy_status") else str(value.get("proxy_error"))


def _addresses(value: Mapping[str, Any]) -> str:
    kind = "private" if value.get("private") else "public"
    return f"the name {value.get('host')} leads to {kind} addresses ({', '.join(value.get('addresses') or [])})"


def _setting(value: Mapping[str, Any]) -> str:
    if not value.get("configured"):
        return "no proxy_uri is set"
    if not value.get("parses"):
        return "proxy_uri cannot be read"
    return f"proxy_uri is {value.get('host')}:{value.get('port')}"


def _identifier(value: Mapping[str, Any]) -> str:
    return f"AWS_HOST_IDENTIFIER is {'set' if value.get('host_identifier') else 'not set'} in the agent's environment"


_LINKS = ("dns", "tcp", "tls", "http", "issuer", "via_proxy", "proxy_ok", "proxy_status")
_SUBJECTS = {"commands": "the agent's endpoint", "s3": "S3", "github": "GitHub"}
PHRASES: dict[str, Phrase] = {
    "network.endpoint": _endpoint,
    **{f"network.endpoint.{field}": _endpoint for field in ("region_valid", "partition_domain", "source", "secure")},
    **{f"network.{subject}": _chain for subject in _SUBJECTS},
    **{f"network.{subject}.{link}": _chain for subject in _SUBJECTS for link in _LINKS},
    "network.commands.private": _addresses,
    "network.environment.host_identifier": _identifier,
    "network.proxy.configured": _setting,
    "network.proxy.parses": _setting,
}


def _links(name: str, subject: str) -> dict[str, tuple[str, str]]:
    return {
        f"network.{name}.dns": (
            f"the first name on the way to {subject} resolves",
            f"the first name on the way to {subject} does not resolve",
        ),
        f"network.{name}.tcp": (
            f"the first server on the way to {subject} takes connections",
            f"the first server on the way to {subject} takes no connection",
        ),
        f"network.{name}.via_proxy": (
            f"connections to {subject} go through a proxy",
            f"connections to {subject} go without a proxy",
        ),
        f"network.{name}.proxy_ok": (
            f"the proxy connects to {subject}",
            f"the proxy does not connect to {subject}",
        ),
        f"network.{name}.tls": (f"this host trusts {subject}", f"TLS with {subject} fails"),
    }


STATED = {
    **{name: both for subject, said in _SUBJECTS.items() for name, both in _links(subject, said).items()},
    "network.commands.private": (
        "the name of the agent's endpoint leads to private addresses",
        "the name of the agent's endpoint leads to addresses of the internet",
    ),
    "network.endpoint.region_valid": (
        "the agent's Region has the form of one",
        "the agent's Region does not have the form of one",
    ),
    "network.endpoint.secure": (
        "the agent uses the endpoint that checks permissions",
        "the agent uses the endpoint that checks no permissions",
    ),
    "network.environment.host_identifier": (
        "AWS_HOST_IDENTIFIER is set in the agent's environment",
        "AWS_HOST_IDENTIFIER is not set in the agent's environment",
    ),
    "network.proxy.configured": ("a proxy_uri is set", "no proxy_uri is set"),
    "network.proxy.parses": ("proxy_uri can be read", "proxy_uri cannot be read"),
}
NAMED = {
    "network.commands.issuer": "the organisation that signed the certificate of the agent's endpoint",
    "network.endpoint.partition_domain": "the domain of AWS in the agent's Region",
    "network.endpoint.source": "what the name of the agent's endpoint comes from",
}
