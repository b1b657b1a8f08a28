"""The metadata service: does it answer, and what does it say about this instance and its role."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from urllib.parse import quote

from agentdoctor.probes import CannotLook, Look, Values, probe
from agentdoctor.probes._hops import goes_through
from agentdoctor.probes._metadata import META, Answer, NoAnswer, Talk, epoch, pick, reader, token_in

PROFILE = META + "iam/info"
ROLES = META + "iam/security-credentials/"
DOCUMENT = "/latest/dynamic/instance-identity/document"
SERVICES = META + "services/"
_domain_name = re.compile(r"[a-z0-9.-]{1,100}", re.ASCII)
LIFECYCLE, SPOT = META + "autoscaling/target-lifecycle-state", META + "spot/instance-action"
TAGS, GROUP_TAG = META + "tags/instance/", "aws:autoscaling:groupName"
_tag_name = re.compile(r"[\w+=.,:@-]{1,128}")  # EC2 user guide, "Instance tags in instance metadata"
_role_name = re.compile(r"[\w+=,.@-]{1,64}", re.ASCII)  # IAM API reference, CreateRole, RoleName


@probe("imds.token", source="imds")
def token(look: Look) -> Values:
    """``{connected, status, given, error, v1_status, ms}``; ``ms`` of the request for a token, in milliseconds.

    ``status`` is None when nothing answered, ``v1_status`` when the old way (no token) was not tried or did not
    answer. The token itself is no part of it. Who is behind the hop limit gets no answer to a PUT, and others: then
    ``v1_status`` is known, mostly 401, and ``status`` is None.
    """
    talk = Talk(look.host)
    values: Values = {"connected": True, "status": None, "given": False, "error": "", "v1_status": None, "ms": 0.0}
    started = time.monotonic()
    try:
        answer = talk.put_token()
        values.update(status=answer.status, given=bool(token_in(answer)))
    except NoAnswer as error:
        values.update(connected=error.connected, error=str(error))
    values["ms"] = round((time.monotonic() - started) * 1000, 1)
    if values["connected"] and not values["given"]:
        values["v1_status"] = _status_without_token(talk)
    return values


def _status_without_token(talk: Talk) -> int | None:
    try:
        return talk.ask("GET", META).status
    except (NoAnswer, CannotLook):
        return None


@probe("imds.hops", source="imds")
def hops(look: Look) -> Values:
    """``{further, behind}``: whether the answer to a token request survives one hop more than to here, and needs to.

    ``further`` is False where the hop limit (HttpPutResponseHopLimit) ends it here, as 1 does on the instance itself;
    the number is not to be had (see _hops.py). ``behind``: the agent has a network of its own, as in a container, and
    reaches the metadata service through this host; None if that cannot be told. No token, no measure: CannotLook.
    """
    try:
        further = Talk(look.host).token_survives_a_hop()
    except NoAnswer as error:
        raise CannotLook(f"the metadata service does not answer: {error}") from None
    return {"further": further, "behind": _is_behind(look)}


def _is_behind(look: Look) -> bool | None:
    agent = look.ask("process.agent").value
    if agent is None:
        return None
    pid = agent.get("worker_pid") or agent.get("master_pid")
    if not pid:
        return False
    try:
        if os.stat(f"/proc/{pid}/ns/net").st_ino == os.stat("/proc/self/ns/net").st_ino:
            return False
        with open(f"/proc/{pid}/net/route", encoding="ascii", errors="replace") as file:
            return goes_through(file.read(1 << 16), _own_addresses())
    except OSError:  # it has ended, or only root may know
        return None


def _own_addresses() -> set[str]:
    import psutil

    return {each.address for addresses in psutil.net_if_addrs().values() for each in addresses}


@probe("imds.tags", source="imds")
def tags(look: Look) -> Values:
    """``{enabled, count, names, auto_scaling_group}`` of the instance's tags, where its metadata has them.

    ``enabled`` is False after 404, which is the answer where InstanceMetadataTags is off, and None after one that does
    not tell; then the others are None. ``names`` are at most 50 that have the form of one, ``count`` is of all. Of
    their values that of aws:autoscaling:groupName alone is read, "" without that tag: EC2's own, and no secret.
    """
    read = reader(look.host)
    listed = read(TAGS)
    if listed.status != 200:
        known = False if listed.status == 404 else None
        return {"enabled": known, **dict.fromkeys(("count", "names", "auto_scaling_group"))}
    names = [name for name in listed.body.decode("utf-8", "replace").splitlines() if name]
    group = read(TAGS + GROUP_TAG) if GROUP_TAG in names else None
    return {
        "enabled": True,
        "count": len(names),
        "names": [name for name in names if _tag_name.fullmatch(name)][:50],
        "auto_scaling_group": group.body.decode("utf-8", "replace")[:255] if group and group.status == 200 else "",
    }


@probe("imds.document", source="imds")
def document(look: Look) -> Values:
    """``{status, region, account_id, instance_id, availability_zone, architecture}``, texts None if not said."""
    answer = reader(look.host)(DOCUMENT)
    found = pick(answer, "region", "accountId", "instanceId", "availabilityZone", "architecture")
    return {
        "status": answer.status,
        "region": found["region"],
        "account_id": found["accountId"],
        "instance_id": found["instanceId"],
        "availability_zone": found["availabilityZone"],
        "architecture": found["architecture"],
    }


@probe("imds.services", source="imds")
def services(look: Look) -> Values:
    """``{partition, domain}`` of AWS where this instance is, such as aws-cn and amazonaws.com.cn; None if not said.

    EC2 user guide, "Instance metadata categories"; what agent 1.8.1 makes the names of its endpoints from.
    """
    read = reader(look.host)
    return {name: _name(read(SERVICES + name)) for name in ("partition", "domain")}


def _name(answer: Answer) -> str | None:
    text = answer.body.decode("ascii", "replace").strip() if answer.status == 200 else ""
    return text if _domain_name.fullmatch(text) else None


@probe("imds.profile", source="imds")
def profile(look: Look) -> Values:
    """``{attached, status, code, message, profile_arn, last_updated}``; 404 is the answer when there is no profile.

    ``attached`` is None after an answer that does not tell (5xx, 403, no JSON).
    ``last_updated`` in seconds since the epoch. Texts are "" when there is no profile and None when the answer
    (5xx, 403, no JSON) does not tell.
    """
    return _profile(reader(look.host)(PROFILE))


def _profile(answer: Answer) -> Values:
    found = pick(answer, "Code", "Message", "InstanceProfileArn", "LastUpdated")
    none = "" if answer.status == 404 else None
    read = found["Code"] is not None  # a good document has no Message, which is then known to be absent
    return {
        "attached": True if read else (False if answer.status == 404 else None),
        "status": answer.status,
        "code": found["Code"] if read else none,
        "message": found["Message"] or ("" if read else none),
        "profile_arn": found["InstanceProfileArn"] or ("" if read else none),
        "last_updated": epoch(found["LastUpdated"]),
    }


@probe("imds.role", source="imds")
def role(look: Look) -> Values:
    """``{role, status, code, message, seconds_left, last_updated}`` of the role that the service hands out.

    ``code`` is "Success" when the role can be used (EC2 user guide, "Retrieve security credentials from instance
    metadata"). Where there is no role it is iam/info's complaint, or "NoRole". ``seconds_left`` may be negative.
    """
    read = reader(look.host)
    names = read(ROLES)
    if names.status not in (200, 404):
        return _role(names.status, None, None)
    name = names.body.decode("utf-8", "replace").strip().split("\n")[0] if names.status == 200 else ""
    if not name:
        return _complaint(read, _role(names.status, "", "NoRole"))
    if not _role_name.fullmatch(name):
        raise CannotLook("the metadata service answers something that is no role name")
    answer = read(ROLES + quote(name, safe=""))
    if answer.status == 404:
        return _complaint(read, _role(404, name, ""))
    return _of_document(answer, name, look.host.now())


def _role(status: int, name: str | None, code: str | None) -> Values:
    message = None if code is None else ""
    return {
        "role": name,
        "status": status,
        "code": code,
        "message": message,
        "seconds_left": None,
        "last_updated": None,
    }


def _complaint(read: Callable[[str], Answer], values: Values) -> Values:
    """What iam/info says is wrong, where the role's own document is missing."""
    info = _profile(read(PROFILE))
    if info["code"] in (None, "", "Success"):
        return {**values, "message": info["message"] or ""}
    return {**values, "code": info["code"], "message": info["message"]}


def _of_document(answer: Answer, name: str, now: float) -> Values:
    found = pick(answer, "Code", "Message", "Expiration", "LastUpdated")
    expiration = epoch(found["Expiration"])
    return {
        **_role(answer.status, name, found["Code"]),
        "message": found["Message"] or (None if found["Code"] is None else ""),
        "seconds_left": None if expiration is None else round(expiration - now, 1),
        "last_updated": epoch(found["LastUpdated"]),
    }


@probe("imds.lifecycle", source="imds")
def lifecycle(look: Look) -> Values:
    """``{target, spot, leaving}``: whether Auto Scaling or EC2 is taking the instance away.

    ``target`` is the state that Auto Scaling moves it to (InService, Terminated, Warmed:Stopped; EC2 user guide,
    "Instance metadata categories"), ``spot`` the announced end of a Spot instance (terminate, stop, hibernate); each ""
    on an instance of which there is none to say, None after an answer that does not tell. ``leaving``: it is to be
    terminated, or stopped as a Spot instance.
    """
    read = reader(look.host)
    state, action = read(LIFECYCLE), read(SPOT)
    target = {200: state.body.decode("ascii", "replace").strip()[:40], 404: ""}.get(state.status)
    spot = {200: pick(action, "action")["action"], 404: ""}.get(action.status)
    known = target is not None and spot is not None
    away = (target or "").endswith("Terminated") or bool(spot)
    return {"target": target, "spot": spot, "leaving": True if away else False if known else None}
