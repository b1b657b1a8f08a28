"""Where the agent's connections go, and through which proxy."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from agentdoctor import layout
from agentdoctor.probes import CannotLook, Look, _configuration
from agentdoctor.probes._address import Proxy, Target, proxy, proxy_in, target
from agentdoctor.probes._environment import of_master
from agentdoctor.probes._s3 import DOMAINS, USUAL, is_s3

_region = re.compile(r"[a-z]{2,4}(-[a-z]+)+-\d+", re.ASCII)


def domain(look: Look, region: str) -> str:
    """The suffix of the partition's host names: the metadata service's word, else by the Region."""
    said = (look.ask("imds.services").value or {}).get("domain")
    return said or next((suffix for start, suffix in DOMAINS if region.startswith(start)), USUAL)


def is_region(text: str) -> bool:
    """Whether a text has the form of a Region; us-east-1a, which is a zone, has not."""
    return _region.fullmatch(text) is not None


def region(look: Look) -> tuple[str, str]:
    """The Region that the agent works in, and where it takes it from, in the agent's order.

    The on-premises file overrides AWS_REGION, which overrides the identity document (PL/onpremise_config.rb and
    command_poller.rb of 1.8.1). Where the environment cannot be read, it is taken to say nothing.
    """
    file = look.value("identity.onpremises")
    if file["present"]:
        found = _configuration.text(_configuration.mapping(look.host, file["path"]), "region")
        if not found:
            raise CannotLook(f"{file['path']} names no Region")
        return found, "on-premises file"
    environment = look.ask("network.environment").value or {}
    if environment.get("region"):
        return str(environment["region"]), "AWS_REGION"
    found = look.value("imds.document")["region"]
    if not found:
        raise CannotLook("the identity document names no Region")
    return found, "identity document"


def settings(look: Look) -> dict[str, Any]:
    """The settings that the agent at work has read. CannotLook when its files are newer than it is."""
    if look.host.live:
        seen = look.ask("process.agent").value or {}
        _check_age(look, _configuration.path(look.host), seen.get("master_started"))
        _check_age(look, layout.read(look.host).on_premises_config_file, seen.get("worker_started"))
    return _configuration.settings(look.host)


def _check_age(look: Look, absolute: str, started: float | None) -> None:
    """1.x reads its configuration in the master, the on-premises file in each new worker."""
    if not absolute or started is None or not look.host.is_file(absolute):
        return
    if os.stat(look.host.path(absolute)).st_mtime > started + _configuration.SLACK:
        raise CannotLook(f"{absolute} was changed after the agent had started, which has not read it again")


def commands(look: Look, values: Mapping[str, Any]) -> tuple[Target, str]:
    """The endpoint of the agent's commands, and which setting it or its Region comes from.

    The name is made as in CC/deploy_control_endpoint.rb of 1.8.1.
    """
    override = _configuration.text(values, "deploy_control_endpoint")
    if override:
        return _named(override, "deploy_control_endpoint"), "deploy_control_endpoint"
    name, source = region(look)
    secure = "-secure" if _configuration.is_on(values, "enable_auth_policy") else ""
    return Target("https", f"codedeploy-commands{secure}{_fips(values)}.{name}.{domain(look, name)}", 443), source


def s3(look: Look, values: Mapping[str, Any], logged: str = "") -> Target:
    """Where the agent downloads from; 2.x reads s3_endpoint_override and passes over it.

    ``logged``: the host that a log names, which counts where it is S3's and the settings do not lead elsewhere now.
    """
    known = logged.lower() if is_s3(logged.lower()) else ""
    override = _configuration.text(values, "s3_endpoint_override")
    if override and generation(look) != "2.x":
        server = _named(override, "s3_endpoint_override")
        return replace(server, host=known) if f".{known}".endswith(f".{server.host}") else server
    if known:
        return Target("https", known, 443)
    name, _ = region(look)
    return Target("https", f"s3{_fips(values)}.{name}.{domain(look, name)}", 443)


def _named(url: str, setting: str) -> Target:
    try:
        return target(url)
    except ValueError:
        raise CannotLook(f"{setting} names no http:// or https:// address") from None


def _fips(values: Mapping[str, Any]) -> str:
    return "-fips" if _configuration.is_on(values, "use_fips_mode") else ""


def proxy_of_agent(look: Look, values: Mapping[str, Any], host: str, whose: str = "commands") -> Proxy | None:
    """The proxy between the agent and a server; None if it goes there directly. CannotLook if that is not known.

    ``whose``: commands, s3 or github. 1.x: proxy_uri for all but GitHub, for which it is the environment alone;
    mostly its process title hides that, and it is taken to name none. 2.x: proxy_uri for all, and the environment
    where there is none, except for S3.
    """
    modern = generation(look) == "2.x"
    try:
        found = _proxy(look, _configuration.text(values, "proxy_uri"), host, whose, modern)
    except ValueError:
        raise CannotLook("the proxy's address cannot be read") from None
    if found and found.secured and modern:
        raise CannotLook(f"the agent speaks TLS to its proxy {found.text}, which is not looked into")
    return found


def _proxy(look: Look, uri: str, host: str, whose: str, modern: bool) -> Proxy | None:
    if uri and (modern or whose != "github"):
        return proxy(uri, bare=modern)
    by_environment = whose != "s3" if modern else whose == "github"
    return proxy_in(_environment(look, modern), host) if by_environment else None


def _environment(look: Look, must: bool) -> Mapping[str, str]:
    try:
        return of_master(look)
    except CannotLook:
        if must:
            raise
        return {}


def generation(look: Look) -> str:
    """``1.x`` or ``2.x`` by the agent that runs, else by its version file; "" if neither tells."""
    running = (look.ask("process.agent").value or {}).get("generation")
    return str(running or (look.ask("package.version").value or {}).get("generation") or "")
