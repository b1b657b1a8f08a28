"""Users, programs and the revision before, which a bundle needs of an instance."""

from __future__ import annotations

from pathlib import Path

import pytest
from bundle.packing import HEAD

from agentdoctor.appspec.finding import RUBIES
from forecast.holding import BUNDLE, FILES, INSTRUCTIONS, OURS, ROOT, lay, lines, told

PERMISSIONS = FILES + "permissions:\n- object: /srv/app\n  {}\n"
LATE = "hooks: {{BeforeInstall: [{{location: a.sh}}]}}\n"
SCRIPT = "hooks:\n  AfterInstall:\n  - location: a.sh\n    runas: {}\n"
SH = "#!/bin/sh\n"
NEEDS = {
    "an owner": (
        PERMISSIONS.format("owner: nobody-here"),
        "critical owner-missing appspec.yml:8 this host has no user",
    ),
    "a group": (
        PERMISSIONS.format("group: nobody-here"),
        "critical owner-missing appspec.yml:8 this host has no group",
    ),
    "an owner that may come": (
        PERMISSIONS.format("owner: nobody-here") + LATE.format(),
        "warning owner-missing appspec.yml:8 this host has no user 'nobody-here', unless a script of BeforeInstall",
    ),
    "an owner that is there": (PERMISSIONS.format("owner: root"), ""),
    "an owner for nothing": (PERMISSIONS.format("owner: nobody-here").replace("object: /srv/app", "object: /x"), ""),
    "runas": (
        HEAD + SCRIPT.format("nobody-here"),
        "critical script-runas-failed appspec.yml:6 runas: this host has no",
    ),
    "runas that is there": (HEAD + SCRIPT.format("root"), ""),
    "runas without a shell": (
        HEAD + SCRIPT.format("nobody"),
        "critical script-runas-failed appspec.yml:6 runas: the s",
    ),
}


@pytest.mark.parametrize(("spec", "expected"), NEEDS.values(), ids=NEEDS)
def test_users_and_groups(spec: str, expected: str, tmp_path: Path) -> None:
    """Those of the machine that runs this: root, nobody, and none of the name."""
    root = tmp_path / "root"
    lay(root, {ROOT: None, "/srv": None, "/bin/sh": "x", "/bin/bash": "x", "/usr/sbin/x": "x"})
    (root / "bin/sh").chmod(0o755)
    (root / "bin/bash").chmod(0o755)
    problems, errors = told(root, {**BUNDLE, "appspec.yml": spec, "a.sh": SH})

    found = lines(problems)
    assert errors == []
    assert any(line.startswith(expected) for line in found) if expected else found == [], found


def test_agent_2x_says_nothing_of_an_owner(tmp_path: Path) -> None:
    """So that it is a warning there."""
    root = tmp_path / "root"
    lay(root, {ROOT: None})
    problems, _ = told(root, {**BUNDLE, "appspec.yml": PERMISSIONS.format("owner: nobody-here")})

    assert [(p.severity.value, set(p.targets) == set(RUBIES)) for p in problems] == [
        ("critical", True),
        ("warning", False),
    ]


def _programs(first: str, more: str = "") -> dict[str, str]:
    spec = HEAD + "hooks:\n  AfterInstall:\n  - location: a\n" + more
    return {"appspec.yml": spec, "a": first + "\n", "b.sh": SH}


PROGRAMS = {
    "there": (_programs("#!/bin/sh"), ""),
    "not there": (_programs("#!/opt/node"), "critical script-interpreter-invalid a:1 this host has no /opt/node"),
    "usual, and not there": (_programs("#!/usr/bin/python3"), "this host has no /usr/bin/python3"),
    "by env": (_programs("#!/usr/bin/env -S ruby -w"), "this host has no ruby on the PATH of the agent"),
    "by env, and elsewhere": (_programs("#!/usr/bin/env node"), "there is /usr/local/go/bin/node"),
    "may come": (
        _programs("#!/opt/node", "  BeforeInstall:\n  - location: b.sh\n"),
        "warning script-interpreter-invalid a:1 this host has no /opt/node; there is /usr/local/go/bin/node, unless a",
    ),
}


@pytest.mark.parametrize(("bundle", "expected"), PROGRAMS.values(), ids=PROGRAMS)
def test_interpreters(bundle: dict[str, str], expected: str, tmp_path: Path) -> None:
    """Asked of this host, and so no guess about others is told any more."""
    root = tmp_path / "root"
    lay(root, {ROOT: None, "/bin/sh": "x", "/usr/local/go/bin/node": "x"})
    for name in ("bin/sh", "usr/local/go/bin/node"):
        (root / name).chmod(0o755)
    problems, errors = told(root, bundle)

    found = lines(problems)
    assert errors == []
    assert any(expected in line for line in found) if expected else found == [], found


@pytest.mark.parametrize(
    ("key", "rule", "there"),
    [
        pytest.param("acls: ['bob:rw']", "acl-command-failed", False, id="setfacl"),
        pytest.param("acls: ['bob:rw']", "", True, id="setfacl is there"),
        pytest.param("acls: []", "", False, id="no acls"),
        pytest.param("context: {type: t, range: s0}", "selinux-command-failed", False, id="semanage"),
    ],
)
def test_tools(key: str, rule: str, there: bool, tmp_path: Path) -> None:
    """What Install runs for permissions."""
    root = tmp_path / "root"
    lay(root, {ROOT: None, **({"/usr/bin/setfacl": "x"} if there else {})})
    if there:
        (root / "usr/bin/setfacl").chmod(0o755)
    problems, _ = told(root, {**BUNDLE, "appspec.yml": PERMISSIONS.format(key)})

    assert {problem.rule for problem in problems} == ({rule} if rule else set())


LAST = f"{ROOT}/g-1/d-AAAAAAAAA"
POINTER = {f"{INSTRUCTIONS}/g-1_last_successful_install": LAST, OURS: "/srv/x\n"}
STOP = HEAD + "hooks:\n  ApplicationStop:\n  - location: stop.sh\n"
STOPS = {
    "no pointer": ({OURS: "/srv/x\n"}, ""),
    "its script is there": (
        {**POINTER, f"{LAST}/deployment-archive/appspec.yml": STOP, f"{LAST}/deployment-archive/stop.sh": SH},
        "",
    ),
    "its script is missing": (
        {**POINTER, f"{LAST}/deployment-archive/appspec.yml": STOP},
        "critical last-revision-script-failed appspec.yml:0 ApplicationStop will fail: stop.sh is not in",
    ),
    "it is gone": (POINTER, "critical last-revision-missing appspec.yml:0 ApplicationStop will fail"),
    "its AppSpec is gone": (
        {**POINTER, f"{LAST}/deployment-archive/x": ""},
        "critical last-revision-missing appspec.yml:0 ApplicationStop will fail: the last successful revision has no",
    ),
    "the pointer is torn": (
        {**POINTER, f"{INSTRUCTIONS}/g-1_last_successful_install": ""},
        "ApplicationStop: the poin",
    ),
}


@pytest.mark.parametrize(("files", "expected"), STOPS.values(), ids=STOPS)
def test_the_next_application_stop(files: dict[str, str | None], expected: str, tmp_path: Path) -> None:
    """It runs what lies here already."""
    root = tmp_path / "root"
    lay(root, files)
    problems, errors = told(root, BUNDLE)

    found = [*lines(problems), *errors]
    assert [line[: len(expected)] for line in found] == ([expected] if expected else [])
