"""The probes of whose credentials the agent uses. Names may be seen, values never."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from agentdoctor.host import Host
from agentdoctor.model import Evidence, Outcome
from agentdoctor.probes import CannotLook, Look, find
from agentdoctor.probes.identity import has_static_key

from .conftest import Start, ask, cases, value, write

CREDENTIALS, CONFIG = "/root/.aws/credentials", "/root/.aws/config"
AGENT = "/etc/codedeploy-agent/conf/codedeployagent.yml"
KEYS = "aws_access_key_id = AKIACANARYKEY\naws_secret_access_key = canary/secret\n"

STATIC = [
    ("default", f"[default]\n{KEYS}", True),
    ("blanks and comments", f"# mine\n\n[ default ]  # x\n{KEYS}", True),
    ("no blanks", "[default]\naws_access_key_id=AKIACANARYKEY", True),
    ("after another", f"[other]\nregion = x\n[default]\n{KEYS}", True),
    ("Windows line ends", "[default]\r\naws_access_key_id = AKIACANARYKEY\r\n", True),
    ("another profile's", f"[other]\n{KEYS}", False),
    ("default without keys, then another", f"[default]\nregion = x\n[other]\n{KEYS}", False),
    ("commented out", "[default]\n# aws_access_key_id = AKIACANARYKEY\n;aws_access_key_id = AKIA\n", False),
    ("no value", "[default]\naws_access_key_id =\naws_secret_access_key =\n", False),
    ("the name of another key", "[default]\nmy_aws_access_key_id = x\naws_access_key_id_old = x\n", False),
    ("a profile whose name begins alike", f"[default-old]\n{KEYS}", False),
    ("no section", KEYS, False),
    ("empty", "", False),
]


@cases(STATIC)
def test_static_key(text: str, expected: bool) -> None:
    assert has_static_key(text, ("default",)) is expected


KEY_FILES = [
    ("none", {}, []),
    ("in credentials", {CREDENTIALS: f"[default]\n{KEYS}"}, [CREDENTIALS]),
    ("in config", {CONFIG: f"[profile  default]\n{KEYS}"}, [CONFIG]),
    ("in config, the short form", {CONFIG: f"[default]\n{KEYS}"}, [CONFIG]),
    ("in both", {CREDENTIALS: f"[default]\n{KEYS}", CONFIG: f"[default]\n{KEYS}"}, [CREDENTIALS, CONFIG]),
    ("the form of config in credentials", {CREDENTIALS: f"[profile default]\n{KEYS}"}, []),
    ("only a region", {CONFIG: "[default]\nregion = eu-west-1\n"}, []),
    ("an administrator's own", {"/home/ubuntu/.aws/credentials": f"[default]\n{KEYS}"}, []),
    (
        "of the user the agent runs as",
        {
            AGENT: ":user: deploy\n",
            "/etc/passwd": "root:x:0:0::/root:/bin/sh\ndeploy:x:999:999::/srv/deploy/:/bin/sh\n",
            "/srv/deploy/.aws/credentials": f"[default]\n{KEYS}",
        },
        ["/srv/deploy/.aws/credentials"],
    ),
    (
        "root's, but the agent runs as another",
        {AGENT: "user: 'deploy'\n", "/etc/passwd": "deploy:x:999:999::/srv/deploy:/bin/sh\n", CREDENTIALS: KEYS},
        [],
    ),
    ("a user named root", {AGENT: ":user: root\n", CREDENTIALS: f"[default]\n{KEYS}"}, [CREDENTIALS]),
    ("no user named", {AGENT: ":user:\n:verbose: false\n", CREDENTIALS: f"[default]\n{KEYS}"}, [CREDENTIALS]),
]


@cases(KEY_FILES)
def test_keys(tmp_path: Path, files: dict[str, str | None], expected: list[str]) -> None:
    assert value("identity.keys", write(tmp_path, files)) == {"files": expected, "found": len(expected)}


def test_keys_of_a_user_nobody_knows(tmp_path: Path) -> None:
    seen = ask("identity.keys", write(tmp_path, {AGENT: ":user: deploy\n"}))
    assert (seen.value, seen.outcome) == (None, Outcome.UNKNOWN)
    assert "deploy" in seen.reason


def test_keys_that_we_may_not_see(unprivileged: Path) -> None:
    host = write(unprivileged, {CREDENTIALS: ""})
    (unprivileged / "root").chmod(0)
    seen = ask("identity.keys", host)
    (unprivileged / "root").chmod(0o755)
    assert (seen.value, seen.outcome) == (None, Outcome.UNKNOWN)
    assert CREDENTIALS in seen.reason


def test_keys_behind_a_link_out_of_the_tree(tmp_path: Path) -> None:
    write(tmp_path, {"/outside/credentials": f"[default]\n{KEYS}"})
    host = write(tmp_path / "tree", {"/root": None})
    (tmp_path / "tree/root/.aws").symlink_to(tmp_path / "outside")
    assert ask("identity.keys", host).outcome is Outcome.UNKNOWN


ON_PREMISES: list[tuple[str, dict[str, str | None], dict[str, Any]]] = [
    ("none", {}, {"present": False, "path": "/etc/codedeploy-agent/conf/codedeploy.onpremises.yml"}),
    ("there", {"/etc/codedeploy-agent/conf/codedeploy.onpremises.yml": "region: x"}, {"present": True}),
    ("a directory", {"/etc/codedeploy-agent/conf/codedeploy.onpremises.yml": None}, {"present": False}),
    (
        "configured elsewhere",
        {AGENT: ":on_premises_config_file: /srv/op.yml\n", "/srv/op.yml": ""},
        {"present": True, "path": "/srv/op.yml"},
    ),
]


@cases(ON_PREMISES)
def test_onpremises(tmp_path: Path, files: dict[str, str | None], expected: dict[str, Any]) -> None:
    seen = value("identity.onpremises", write(tmp_path, files))
    assert {name: seen[name] for name in expected} == expected


def look(name: str, evidence: Mapping[str, Mapping[str, Any] | None]) -> Mapping[str, Any]:
    """A probe's values, with what the probes that it asks have seen."""

    def answer(asked: str) -> Evidence:
        return Evidence(asked, "", evidence.get(asked), "no answer", Outcome.PASS)

    return find(name).look(Look(Host(), {}, answer))


WORKER = {"worker_started": 1000.0}
ATTACHED = {"role": "web", "last_updated": 2000.0}
ATTACHMENTS: list[tuple[str, Any, Any, Any, bool]] = [
    ("role came later", WORKER, {"last_updated": 2000.0}, ATTACHED, True),
    ("role was there", WORKER, {"last_updated": 500.0}, {**ATTACHED, "last_updated": 501.0}, False),
    ("rotated since, attached before", WORKER, {"last_updated": 500.0}, ATTACHED, False),
    ("only the role's stamp", WORKER, {"last_updated": None}, ATTACHED, True),
    ("only the profile's stamp", WORKER, {"last_updated": 500.0}, {**ATTACHED, "last_updated": None}, False),
    ("at the same moment", WORKER, {"last_updated": 1000.0}, ATTACHED, False),
]


@cases(ATTACHMENTS)
def test_attachment(worker: Any, profile: Any, role: Any, expected: bool) -> None:
    evidence = {"process.agent": worker, "imds.profile": profile, "imds.role": role}
    assert look("identity.attachment", evidence)["role_after_worker"] is expected


NO_ATTACHMENT: list[tuple[str, Any, Any, Any]] = [
    ("no role", WORKER, {"last_updated": 2000.0}, {**ATTACHED, "role": ""}),
    ("role not known", WORKER, {"last_updated": 2000.0}, {**ATTACHED, "role": None}),
    ("no worker", {"worker_started": None}, {"last_updated": 2000.0}, ATTACHED),
    ("no stamp", WORKER, {"last_updated": None}, {**ATTACHED, "last_updated": None}),
    ("processes not seen", None, {"last_updated": 2000.0}, ATTACHED),
    ("no answer about the profile", WORKER, None, ATTACHED),
    ("no answer about the role", WORKER, {"last_updated": 2000.0}, None),
]


@cases(NO_ATTACHMENT)
def test_attachment_unknown(worker: Any, profile: Any, role: Any) -> None:
    evidence = {"process.agent": worker, "imds.profile": profile, "imds.role": role}
    with pytest.raises(CannotLook):
        look("identity.attachment", evidence)


ENVIRONMENTS = [
    ("nothing of AWS", {"PATH": "/bin"}, []),
    (
        "keys",
        {"AWS_SECRET_ACCESS_KEY": "canary/secret", "AWS_ACCESS_KEY_ID": "AKIACANARYKEY"},
        ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"],
    ),
    ("a profile", {"AWS_PROFILE": "canary-profile", "PATH": "/bin"}, ["AWS_PROFILE"]),
    ("set to nothing", {"AWS_PROFILE": "", "PATH": "/bin"}, []),
    ("others of AWS", {"AWS_REGION": "eu-west-1", "AWS_PROFILE_OLD": "x"}, []),
]


@cases(ENVIRONMENTS)
def test_environment(process: Start, variables: dict[str, str], expected: list[str]) -> None:
    seen = look("identity.environment", {"process.agent": {"master_pid": process(variables)}})
    assert seen == {"names": expected, "found": len(expected)}
    assert "canary" not in repr(seen).lower()


def test_environment_without_an_agent() -> None:
    with pytest.raises(CannotLook):
        look("identity.environment", {"process.agent": {"master_pid": 0}})


def test_environment_of_a_process_that_ended() -> None:
    with subprocess.Popen(["true"]) as ended:
        ended.wait()
    with pytest.raises(CannotLook):
        look("identity.environment", {"process.agent": {"master_pid": ended.pid}})


@pytest.fixture
def another_users_pid(process: Start) -> int:
    """A process of root's, for a test that goes on as nobody."""
    if os.geteuid() != 0:
        pytest.skip("only root can leave a process behind that is not ours")
    return process({"PATH": "/bin"})


def test_environment_that_we_may_not_read(another_users_pid: int, unprivileged: Path) -> None:
    with pytest.raises(CannotLook, match="only root"):
        look("identity.environment", {"process.agent": {"master_pid": another_users_pid}})


def test_environment_that_a_title_hides(process: Start) -> None:
    with pytest.raises(CannotLook):
        look("identity.environment", {"process.agent": {"master_pid": process({})}})


@pytest.mark.parametrize("text", [f"[default]\n{KEYS}", f"{KEYS}[broken", "[default\n" + KEYS])
def test_no_secret_gets_into_evidence(tmp_path: Path, text: str) -> None:
    host = write(tmp_path, {CREDENTIALS: text, CONFIG: text})
    shown = repr(ask("identity.keys", host))
    assert "AKIACANARYKEY" not in shown
    assert "canary" not in shown


PASSWD = (
    "root:x:0:0:root:/root:/bin/sh\napp:x:9:9::/srv/app:/usr/sbin/nologin\nold:x:8:8::/:/bin/gone\nbare:x:7:7::/:\n"
)
USERS = [
    ("there", "root", {"name": "root", "exists": True, "shell": "/bin/sh", "can_login": True}),
    ("not to log in", "app", {"exists": True, "shell": "/usr/sbin/nologin", "can_login": False}),
    ("a shell that the copy lacks", "old", {"exists": True, "can_login": None}),
    ("no shell, which is /bin/sh", "bare", {"exists": True, "shell": "", "can_login": True}),
    ("not in the file: it may come from elsewhere", "ldap", {"exists": None, "shell": "", "can_login": None}),
    ("part of a name", "roo", {"exists": None}),
]


@cases(USERS)
def test_user_of_a_copied_tree(tmp_path: Path, user: str, expected: dict[str, Any]) -> None:
    seen = value("identity.user", write(tmp_path, {"/etc/passwd": PASSWD, "/bin/sh": ""}), user=user)
    assert {name: seen[name] for name in expected} == expected


def test_a_copied_tree_without_users(tmp_path: Path) -> None:
    assert ask("identity.user", write(tmp_path, {}), user="root").outcome is Outcome.SKIP


LIVING = [
    ("root", "root", {"exists": True, "can_login": True}),
    ("nobody's shell", "nobody", {"exists": True, "can_login": False}),
    ("no such user", "no-such-user-here", {"exists": False, "shell": "", "can_login": None}),
    ("no name at all", "a\0b", {"exists": False}),
]


@cases(LIVING)
def test_user_of_this_machine(user: str, expected: dict[str, Any]) -> None:
    seen = value("identity.user", Host(), user=user)
    assert {name: seen[name] for name in expected} == expected


OWNERS = [
    ("a user", "root", "user", True),
    ("a group", "root", "group", True),
    ("no such user", "no-such-user-here", "user", False),
    ("no such group", "no-such-group-here", "group", False),
]


@cases(OWNERS)
def test_owner(name: str, kind: str, exists: bool) -> None:
    assert value("identity.owner", Host(), name=name, kind=kind) == {"name": name, "kind": kind, "exists": exists}
