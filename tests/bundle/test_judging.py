"""What lint says of bundles: each trouble beside what is nearly one."""

from __future__ import annotations

from pathlib import Path

import pytest

from bundle.packing import HEAD, KINDS, Files, pack, problems, told

SH = "#!/bin/bash\n"
HOOK = HEAD + "hooks:\n  AfterInstall:\n    - location: scripts/a.sh\n"
FILES = HEAD + "files:\n  - source: {}\n    destination: /srv/x\n"


def _hook(script: str | bytes) -> Files:
    return {"appspec.yml": HOOK, "scripts/a.sh": script}


PERMITTED = FILES.format("a") + "permissions:\n- object: /srv/x\n"
# What is in a bundle, and pieces of each line that lint says; () for none.
CASES: dict[str, tuple[Files, tuple[str, ...]]] = {
    "a bundle without trouble": (_hook(SH), ()),
    "the name of agent 2.x and of hope": (
        {"appspec.yaml": HEAD},
        (
            "critical appspec-misnamed appspec.yaml:0:0 the AppSpec is called appspec.yaml",
            "warning appspec-misnamed appspec.yaml:0:0 the AppSpec is called appspec.yaml; not every agent 2.x",
        ),
    ),
    "capital letters": ({"AppSpec.yml": HEAD}, ("appspec-misnamed AppSpec.yml",)),
    "another file of that ending": ({"config.yml": HEAD}, ("appspec-missing",)),
    "a single folder, which the agent takes away": ({"app/appspec.yml": HEAD, "app/x": ""}, ()),
    "a folder beside another": ({"app/appspec.yml": HEAD, "x": ""}, ("appspec-not-at-root app/appspec.yml",)),
    "a zip of a Mac": (
        {"app/appspec.yml": HEAD, "__MACOSX/app/._appspec.yml": "x"},
        ("__MACOSX beside the folder keeps the agent",),
    ),
    "an archive in an archive": ({"app.zip": b"PK\3\4"}, ("appspec-not-at-root app.zip:0:0 the bundle holds nothing",)),
    "no AppSpec": ({"index.html": ""}, ("there is no appspec.yml, and nothing like it",)),
    "a source that is there": ({"appspec.yml": FILES.format("a.txt"), "a.txt": ""}, ()),
    "a source with a slash before it": ({"appspec.yml": FILES.format("/a.txt"), "a.txt": ""}, ()),
    "all of the bundle": ({"appspec.yml": FILES.format("/"), "a.txt": ""}, ()),
    "a source in other letters": (
        {"appspec.yml": FILES.format("A.txt"), "a.txt": ""},
        ("critical source-file-missing appspec.yml:4:13 the source 'A.txt' is not in the bundle; did you mean a.txt?",),
    ),
    "a source with a wildcard": (
        {"appspec.yml": FILES.format("'*.txt'"), "a.txt": ""},
        ("and a wildcard is taken as it stands",),
    ),
    "a source outside": ({"appspec.yml": FILES.format("../a")}, ("leads out of the bundle",)),
    "two sources, one place": (
        {"appspec.yml": FILES.format("/") + "  - source: a.txt\n    destination: /srv/x/\n", "a.txt": ""},
        ("critical install-duplicate-destination appspec.yml:6:13 a.txt and a.txt both go to /srv/x/a.txt",),
    ),
    "two sources, two places": (
        {"appspec.yml": FILES.format("a.txt") + "  - source: a.txt\n    destination: /srv/y\n", "a.txt": ""},
        (),
    ),
    "a script in other letters": (
        {"appspec.yml": HOOK, "scripts/A.sh": SH},
        ("critical script-missing appspec.yml:5:17 the script 'scripts/a.sh' is not in the bundle; did you mean",),
    ),
    "a script that is a folder": ({"appspec.yml": HOOK, "scripts/a.sh/x": ""}, ("is a directory, which nobody can",)),
    "no interpreter": (_hook("echo\n"), ("warning script-interpreter-invalid scripts/a.sh:1:1",)),
    "a byte order mark": (_hook(b"\xef\xbb\xbf#!/bin/sh\n"), ("a byte order mark stands before the first line",)),
    "CR and LF from the first line on": (
        _hook("#!/bin/sh\r\necho\r\n"),
        ("critical script-line-endings scripts/a.sh:1:1",),
    ),
    "CR and LF further down": (_hook(SH + "echo\r\n"), ("warning script-line-endings scripts/a.sh:2:1",)),
    "an interpreter of its own": (_hook("#!/opt/x/python\n"), ("the interpreter /opt/x/python must be on the host",)),
    "env with words": (_hook("#!/usr/bin/env python3 -u\n"), ("critical script-interpreter-invalid",)),
    "env with one word": (_hook("#!/usr/bin/env python3\n"), ()),
    "a program": (_hook(b"\x7fELF\2\1\1"), ()),
    "left open": (_hook(SH + "\nserver &\n"), ("warning script-output-left-open scripts/a.sh:3:1",)),
    "left open by one stream": (_hook(SH + "server > log &\n"), ("script-output-left-open",)),
    "errors to the open output": (_hook(SH + "server 2>&1 &\n"), ("script-output-left-open",)),
    "turned away": (_hook(SH + "server > /dev/null 2>&1 < /dev/null &\n"), ()),
    "turned away in two files": (_hook(SH + "server >> out 2>> err &\n"), ()),
    "turned away at once": (_hook(SH + "server &> log &\n"), ()),
    "waited for": (_hook(SH + "server &\nwait\n"), ()),
    "a comment": (_hook(SH + "# server &\n"), ()),
    "and, not background": (_hook(SH + "a && b\n"), ()),
    "an owner that some hosts have": (
        {"appspec.yml": PERMITTED + "  owner: deploy\n  group: www-data\n", "a/x": ""},
        ("info owner-missing appspec.yml:8:10 the user 'deploy' must be on each host",),
    ),
    "an owner for nothing": (
        {"appspec.yml": (PERMITTED + "  owner: deploy\n").replace("- object: /srv/x", "- object: /opt"), "a/x": ""},
        (),
    ),
    "runas that some hosts have, twice": (
        _hook(SH) | {"appspec.yml": HOOK + "      runas: deploy\n    - {location: scripts/a.sh, runas: deploy}\n"},
        ("info script-runas-failed appspec.yml:6:14 the user 'deploy' must be on each host",),
    ),
    "runas that a stock host has": (_hook(SH) | {"appspec.yml": HOOK + "      runas: ubuntu\n"}, ()),
    "allowed": (
        {
            "appspec.yml": "# agentdoctor: ignore script-interpreter-invalid -- ours\n\n" + HOOK,
            "scripts/a.sh": "echo\n",
        },
        ("script-interpreter-invalid",),
    ),
}


@pytest.mark.parametrize(("files", "expected"), CASES.values(), ids=CASES)
def test_each_trouble(files: Files, expected: tuple[str, ...], tmp_path: Path) -> None:
    """As a tar, which holds modes and needs no files."""
    found = told(pack("tar", files, tmp_path))

    assert len(found) == len(expected), found
    for words, line in zip(expected, found, strict=True):
        assert words in line


@pytest.mark.parametrize("kind", KINDS)
def test_all_ways_of_packing_are_judged_alike(kind: str, tmp_path: Path) -> None:
    """One bundle with a trouble of each sort."""
    files = {**_hook("#!/bin/sh\r\n"), "b/x": "", "c/x": ""}
    files["appspec.yml"] = HOOK + "files:\n- {source: b, destination: /d}\n- {source: c, destination: /d}\n"

    assert [line.split()[1:3] for line in told(pack(kind, files, tmp_path, mode=0o644))] == [
        ["install-duplicate-destination", "appspec.yml:8:12"],
        ["script-line-endings", "scripts/a.sh:1:1"],
        ["script-not-executable", "scripts/a.sh:1:1"],
    ]


def test_a_comment_allows_with_its_reason(tmp_path: Path) -> None:
    """The finding stays, with the reason; one without a reason is an error."""
    allowed = {"appspec.yml": HOOK.replace("a.sh", "a.sh # agentdoctor: ignore script-missing -- made on the host")}
    bare = {"appspec.yml": HOOK.replace("a.sh", "a.sh # agentdoctor: ignore script-missing")}

    (found,), errors = problems(pack("zip", allowed, tmp_path))
    (told_,), wrong = problems(pack("tar", bare, tmp_path))

    assert (found.rule, found.allowed, errors) == ("script-missing", "made on the host", [])
    assert (told_.allowed, wrong) == (
        "",
        ["appspec.yml: line 5: ignore script-missing needs a reason, as in: ignore script-missing -- why"],
    )


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        pytest.param("- object: /srv/x\n", True, id="the same directory twice"),
        pytest.param("- object: /srv/x\n  pattern: '*.log'\n", False, id="a pattern that nothing fits"),
        pytest.param("- object: /srv/x\n  pattern: '*.t*t'\n", True, id="a pattern that fits"),
        pytest.param("- object: /srv/x/one.txt\n", True, id="a file in it"),
        pytest.param("- object: /srv/y\n", False, id="a directory of another"),
    ],
)
def test_what_two_entries_of_permissions_meet(more: str, expected: bool, tmp_path: Path) -> None:
    """Install refuses it, but only when it gets there."""
    found = told(pack("tar", {"appspec.yml": PERMITTED + more, "a/one.txt": ""}, tmp_path))

    assert any("is met by the entry on line 7 already" in line for line in found) is expected, found
