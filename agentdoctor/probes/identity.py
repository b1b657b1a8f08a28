"""Whose credentials the agent uses. Names are read here, never the values behind them."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable

from agentdoctor import layout
from agentdoctor.host import Host
from agentdoctor.probes import CannotLook, Look, Values, probe
from agentdoctor.probes._environment import of_master

VARIABLES = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_SHARED_CREDENTIALS_FILE")
_section = re.compile(r"\[\s*([^\]]*?)\s*\]")
_key = re.compile(r"\s*aws_access_key_id\s*=\s*\S")
_user = re.compile(r"^:?user:[ \t]+[\"']?([\w.-]+)", re.MULTILINE)


def has_static_key(text: str, sections: Iterable[str]) -> bool:
    """Whether one of these sections of a shared credentials or config file sets aws_access_key_id.

    Line by line instead of with configparser, whose errors quote the line they stumble over.
    """
    inside = False
    for line in text.splitlines():
        header = _section.match(line)
        if header:
            inside = " ".join(header[1].split()) in sections
        elif inside and _key.match(line):
            return True
    return False


@probe("identity.keys", source="disk", live=False)
def keys(look: Look) -> Values:
    """``{files, found}``: the files of the agent's user whose default profile holds static keys, and their number.

    Those keys win over the instance profile (observed with 1.8.1; aws/aws-codedeploy-agent issues 331 and 399).
    """
    home = _home(look.host)
    places = {
        f"{home}/.aws/credentials": ("default",),
        f"{home}/.aws/config": ("default", "profile default"),
    }
    files = [path for path, sections in places.items() if has_static_key(_text(look.host, path), sections)]
    return {"files": files, "found": len(files)}


def _text(host: Host, path: str) -> str:
    try:
        return host.read(path)
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except PermissionError as error:
        raise CannotLook(f"{path}: {error.strerror or error}") from None


def _home(host: Host) -> str:
    """The home of the user whom the agent's configuration names; root's by default."""
    texts = (_text(host, path) for path in layout.CONFIGURATION)
    found = _user.search(next((text for text in texts if text), ""))
    if not found or found[1] in ("root", "nil", "null"):
        return "/root"
    for line in _text(host, "/etc/passwd").splitlines():
        fields = line.split(":")
        if fields[0] == found[1] and len(fields) > 5:
            return fields[5].rstrip("/")
    raise CannotLook(f"/etc/passwd does not say where the home of the agent's user {found[1]} is")


@probe("identity.environment", source="process")
def environment(look: Look) -> Values:
    """``{names, found}``: which variables that choose credentials the agent's master was started with.

    1.x deletes the key variables in its child (command_poller.rb:29-36 of 1.8.1), but not the other two.
    """
    found = of_master(look)
    names = [name for name in VARIABLES if found.get(name)]
    return {"names": names, "found": len(names)}


@probe("identity.user", source="disk", live=False, about=("user",))
def user(look: Look) -> Values:
    """``{name, exists, shell, can_login}`` of the user whom a hook is to run as, as the name service knows it.

    ``can_login`` is False where the shell is nologin, false or not there: su then runs nothing. In a copied tree
    only /etc/passwd is asked, and a name that it lacks is None: it may come from elsewhere.
    """
    name = look.about["user"]
    shell = _shell(look.host, name)
    return {
        "name": name,
        "exists": shell is not None or (False if look.host.live else None),
        "shell": shell or "",
        "can_login": None if shell is None else _runs(look.host, shell or "/bin/sh"),
    }


def _shell(host: Host, name: str) -> str | None:
    """The shell of a user, None if there is no such user."""
    if host.live:
        import pwd

        try:
            return pwd.getpwnam(name).pw_shell
        except (KeyError, ValueError):
            return None
    try:
        lines = host.read("/etc/passwd").splitlines()
    except (FileNotFoundError, NotADirectoryError):
        raise CannotLook("a copied tree holds no /etc/passwd", skip=True) from None
    rows = (line.split(":") for line in lines)
    return next((row[6] for row in rows if row[0] == name and len(row) > 6), None)


def _runs(host: Host, shell: str) -> bool | None:
    if os.path.basename(shell) in ("nologin", "false"):
        return False
    return host.exists(shell) or (False if host.live else None)


@probe("identity.owner", source="disk", about=("name", "kind"))
def owner(look: Look) -> Values:
    """``{name, kind, exists}``: does the name service know the user or group (``kind``) of a permissions entry."""
    import grp
    import pwd

    name, kind = look.about["name"], look.about["kind"]
    try:
        (grp.getgrnam if kind == "group" else pwd.getpwnam)(name)
    except (KeyError, ValueError):
        return {"name": name, "kind": kind, "exists": False}
    return {"name": name, "kind": kind, "exists": True}


@probe("identity.onpremises", source="disk", live=False)
def onpremises(look: Look) -> Values:
    """``{present, path}`` of the on-premises configuration, a regular file (PL/onpremise_config.rb of 1.8.1)."""
    path = layout.read(look.host).on_premises_config_file
    try:
        present = stat.S_ISREG(os.stat(look.host.path(path)).st_mode)
    except (FileNotFoundError, NotADirectoryError):
        present = False
    return {"present": present, "path": path}


@probe("identity.attachment", source="imds")
def attachment(look: Look) -> Values:
    """``{role_after_worker, worker_started, last_updated}``, times in seconds since the epoch.

    Did the role come after the worker started? Each rotation of the credentials renews LastUpdated, so the older
    of the profile's and the role's is taken, and "after" is certain of a young worker only; "before" always is.
    """
    role = look.value("imds.role")
    if not role["role"]:
        raise CannotLook("the instance has no role", skip=True)
    started = look.value("process.agent")["worker_started"]
    if started is None:
        raise CannotLook("the agent has no worker")
    stamps = (look.value("imds.profile")["last_updated"], role["last_updated"])
    updated = min((at for at in stamps if at is not None), default=None)
    if updated is None:
        raise CannotLook("the metadata service does not say when the role was last updated")
    return {"role_after_worker": updated > started, "worker_started": started, "last_updated": updated}
