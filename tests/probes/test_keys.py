"""The probe of the keys that an AppSpec has in vain: what was meant is told, what is nobody's business is not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentdoctor.appspec.ignored import ignored
from agentdoctor.appspec.reading import read
from agentdoctor.host import Host
from agentdoctor.model import Outcome
from agentdoctor.probes._keys import usual
from agentdoctor.words import say

from .conftest import ask, cases, value, write

ROOT = "/opt/codedeploy-agent/deployment-root"
INSTRUCTIONS = f"{ROOT}/deployment-instructions"
HEAD = "version: 0.0\nos: linux\n"
FILES = "files:\n  - source: /\n    destination: /srv/app\n"
HOOK = "hooks:\n  AfterInstall:\n    - location: a.sh\n"
MODE = "permissions:\n  - object: /srv/app\n"
AT_TOP = "file_exists_behavior at the left margin"


def unpacked(root: Path, *appspecs: str, name: str = "appspec.yml") -> Host:
    """A copied tree in which each group has unpacked a revision; the last group is the newest."""
    files: dict[str, str | None] = {}
    for number, text in enumerate(appspecs):
        files[f"{INSTRUCTIONS}/g{number}_most_recent_install"] = f"{ROOT}/g{number}/d-ABCDEF12{number}"
        files[f"{ROOT}/g{number}/d-ABCDEF12{number}/deployment-archive/{name}"] = text
    host = write(root, files)
    for number in range(len(appspecs)):
        os.utime(root / f"{INSTRUCTIONS}/g{number}_most_recent_install"[1:], (1e9 + number, 1e9 + number))
    return host


IGNORED = [
    ("overwrite of a file", f"{FILES}    overwrite: true\n", "overwrite", "files", 6, AT_TOP),
    ("overwrite at the left margin", "overwrite: true\n", "overwrite", "", 3, AT_TOP),
    ("in files", f"{FILES}    file_exists_behavior: OVERWRITE\n", "file_exists_behavior", "files", 6, AT_TOP),
    ("in a hook", f"{HOOK}      file_exists_behavior: RETAIN\n", "file_exists_behavior", "hooks", 6, AT_TOP),
    ("with hyphens", "file-exists-behavior: OVERWRITE\n", "file-exists-behavior", "", 3, AT_TOP),
    ("as in the API", "fileExistsBehavior: OVERWRITE\n", "fileExistsBehavior", "", 3, AT_TOP),
    ("as the British spell it", "file_exists_behaviour: OVERWRITE\n", "file_exists_behaviour", "", 3, AT_TOP),
    ("against it", f"file_exists_behavior: RETAIN\n{FILES}    overwrite: 1\n", "overwrite", "files", 7, AT_TOP),
    ("timout", f"{HOOK}      timout: 900\n", "timout", "hooks", 6, "timeout"),
    ("timeOut", f"{HOOK}      timeOut: 900\n", "timeOut", "hooks", 6, "timeout"),
    ("run_as", f"{HOOK}      run_as: app\n", "run_as", "hooks", 6, "runas"),
    ("runAs", f"{HOOK}      runAs: app\n", "runAs", "hooks", 6, "runas"),
    ("user", f"{HOOK}      user: app\n", "user", "hooks", 6, "runas"),
    ("Location", f"{HOOK}      Location: b.sh\n", "Location", "hooks", 6, "location"),
    ("permission", "permission:\n  - object: /srv\n", "permission", "", 3, "permissions"),
    ("hook", "hook:\n  AfterInstall: []\n", "hook", "", 3, "hooks"),
    ("file", "file: []\n", "file", "", 3, "files"),
    ("beside hooks", "AfterInstall:\n  - location: a.sh\n", "AfterInstall", "", 3, "AfterInstall inside of hooks"),
    ("timeout at the left margin", "timeout: 900\n", "timeout", "", 3, "timeout of each script"),
    ("an owner in files", f"{FILES}    owner: app\n", "owner", "files", 6, "owner in permissions"),
    ("acl", f"{MODE}    acl: ['u:app:rw']\n", "acl", "permissions", 5, "acls"),
    ("pattern with a letter too many", f"{MODE}    patterns: '*.sh'\n", "patterns", "permissions", 5, "pattern"),
]  # fmt: skip


@cases(IGNORED)
def test_ignored(tmp_path: Path, text: str, key: str, place: str, line: int, meant: str) -> None:
    seen = value("appspec.ignored", unpacked(tmp_path, HEAD + text))
    assert (seen["key"], seen["place"], seen["line"], seen["meant"]) == (key, place, line, meant)
    assert (seen["count"], seen["archive"]) == (1, f"{ROOT}/g0/d-ABCDEF120/deployment-archive")


SILENT = [
    ("every key there is", HEAD + "file_exists_behavior: OVERWRITE\n" + FILES + HOOK.rstrip("\n")
     + "\n      timeout: 9\n      runas: app\n      sudo: true\n" + MODE
     + "    pattern: '**'\n    except: []\n    owner: a\n    group: b\n    mode: 644\n    acls: []\n    type: [file]\n"
     + "    context: {type: t}\n"),
    ("notes", HEAD + "name: shop\ndescription: x\nenvironment: prod\nx-owner: web\nprofile: a\nwebhooks: []\n"),
    ("of other tools", HEAD + "Resources: []\nproxy: http://p\nregion: eu-west-1\n"),
    ("notes of a script", HEAD + HOOK + "      name: first\n      comment: x\n      description: y\n      run: z\n"),
    ("what is so without it", HEAD + FILES + "    overwrite: false\n"),
    ("what is said rightly as well", HEAD + "file_exists_behavior: OVERWRITE\n" + FILES + "    overwrite: true\n"),
    ("the same twice", HEAD + "file_exists_behavior: RETAIN\n" + FILES + "    file_exists_behavior: RETAIN\n"),
    ("an owner where it belongs", HEAD + MODE + "    owner: app\n    mode: 640\n"),
    ("what the agent misses loudly", "Version: 0.0\nos: linux\n"),
    ("events", HEAD + "hooks:\n  timout:\n    - location: a.sh\n"),
    ("a shape of its own", HEAD + "files: overwrite\nhooks: [timout]\npermissions: {overwrite: 1}\n"),
    ("a merge", HEAD + "files:\n  - &a {source: /, destination: /x}\n  - {<<: *a}\n"),
    ("what is no scalar", HEAD + "? [overwrite]\n: 1\n"),
    ("a very long key", HEAD + "overwrite" * 100 + ": true\n"),
]  # fmt: skip


@cases(SILENT)
def test_nobodys_business(tmp_path: Path, text: str) -> None:
    seen = value("appspec.ignored", unpacked(tmp_path, text))
    assert (seen["key"], seen["place"], seen["meant"], seen["archive"], seen["count"]) == ("", "", "", "", 0)


def test_the_newest_group_that_has_one(tmp_path: Path) -> None:
    """Of several applications the one that was deployed last; what is well is passed over."""
    host = unpacked(tmp_path, HEAD + "overwrite: true\n", HEAD + HOOK + "      timout: 9\n", HEAD)
    seen = value("appspec.ignored", host)
    assert (seen["key"], seen["count"], seen["archive"].split("/")[-3]) == ("timout", 2, "g1")


def test_all_keys_of_a_file_are_counted(tmp_path: Path) -> None:
    """And the first is told."""
    seen = value("appspec.ignored", unpacked(tmp_path, HEAD + HOOK + "      timout: 9\noverwrite: true\n"))
    assert (seen["key"], seen["count"]) == ("timout", 2)


def test_the_other_name(tmp_path: Path) -> None:
    """Install reads appspec.yaml as well."""
    assert value("appspec.ignored", unpacked(tmp_path, HEAD + "overwrite: 1\n", name="appspec.yaml"))["count"] == 1


def test_thousands_of_files_are_read_in_time(tmp_path: Path) -> None:
    """Each key is compared once; the limit of a probe is two seconds, and this is the largest file that is read."""
    row = "  - {source: /a, destination: /b, note_of_mine: x, another_note: y}\n"
    text = HEAD + "files:\n" + row * 3500
    assert value("appspec.ignored", unpacked(tmp_path, text))["count"] == 0


NOTHING = [
    ("no deployment", {}),
    ("only what was installed", {f"{INSTRUCTIONS}/g_last_successful_install": f"{ROOT}/g/d-ABCDEF123"}),
    ("a revision that is gone", {f"{INSTRUCTIONS}/g_most_recent_install": f"{ROOT}/g/d-ABCDEF123"}),
    ("a torn pointer", {f"{INSTRUCTIONS}/g_most_recent_install": ""}),
    ("a pointer elsewhere", {f"{INSTRUCTIONS}/g_most_recent_install": "/etc"}),
]


@cases(NOTHING)
def test_nothing_to_look_at(tmp_path: Path, files: dict[str, str | None]) -> None:
    assert ask("appspec.ignored", write(tmp_path, files)).outcome is Outcome.SKIP


def test_what_is_too_large(tmp_path: Path) -> None:
    """What was not read is not known."""
    assert ask("appspec.ignored", unpacked(tmp_path, "#" * (257 << 10))).outcome is Outcome.UNKNOWN


@pytest.mark.parametrize("text", ["\t- [", "", "# nothing\n"])
def test_what_the_agent_refuses_is_not_ours(tmp_path: Path, text: str) -> None:
    """No YAML, empty: other rules tell of that."""
    assert ask("appspec.ignored", unpacked(tmp_path, text)).outcome is Outcome.SKIP
    assert value("appspec.ignored", unpacked(tmp_path, text, HEAD + "overwrite: 1\n"))["count"] == 1


def test_a_link_is_followed(tmp_path: Path) -> None:
    """As the agent does."""
    host = unpacked(tmp_path, HEAD + "overwrite: 1\n", name="other.yml")
    (tmp_path / f"{ROOT}/g0/d-ABCDEF120/deployment-archive/appspec.yml"[1:]).symlink_to("other.yml")
    assert value("appspec.ignored", host)["count"] == 1


SEEN = {"archive": "/a", "key": "timout", "place": "hooks", "line": 9, "meant": "timeout", "count": 1}
SAID = [
    ("key", SEEN, "line 9 of the AppSpec says timout in hooks, where the agent does not read it"),
    ("key", {**SEEN, "place": ""}, "line 9 of the AppSpec says timout at the left margin, where the agent does not"),
    ("meant", SEEN, "what it reads is timeout"),
    ("key", dict.fromkeys(SEEN, ""), "the agent reads every key of the AppSpec that looks like one of its own"),
    ("archive", SEEN, "the revision is /a"),
]


@pytest.mark.parametrize(("field", "seen", "said"), SAID)
def test_words(field: str, seen: dict[str, object], said: str) -> None:
    assert say("appspec.ignored", field, seen[field], seen).startswith(said)


LINES = st.sampled_from(
    r"""version: 0.0
os: linux
files:
hooks:
permissions:
  - source: /
    destination: /srv
    overwrite: true
  AfterInstall:
    - location: a.sh
      timeout: 30
      timout: 30
      runAs: root
  timeout: 30
  - location: b.sh
timeout: 30
AfterInstall:
- location: c.sh
# why
file_exists_behavior: OVERWRITE
  file_exists_behavior: OVERWRITE
      - {location: a.sh, timout: 5}
---""".split("\n")
)


@given(st.lists(LINES, max_size=9).map(lambda lines: "\n".join(["version: 0.0", *lines]).encode()))
def test_what_is_usual_holds_none(raw: bytes) -> None:
    """The short way never passes over a key that the long way finds."""
    document = read(raw)

    assert not usual(raw) or document.syntax or ignored(document.root) == []


def test_a_plain_appspec_is_usual() -> None:
    """Else the short way would be of no use."""
    lines = (
        "version: 0.0",
        "os: linux",
        "files:",
        "  - source: /",
        "    destination: /srv",
        "hooks:",
        "  AfterInstall:",
    )

    assert usual("\n".join([*lines, "    - location: a.sh", "      timeout: 30", "      runas: root", ""]).encode())
