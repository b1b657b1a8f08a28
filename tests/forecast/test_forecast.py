"""What stands where Install wants to put something, whose it is, and what nobody may say."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from bundle.packing import IDS, pack

from agentdoctor.appspec.finding import TARGETS
from agentdoctor.asking import Asker
from agentdoctor.bundle.judging import judge
from agentdoctor.bundle.opening import opened
from agentdoctor.forecast import forecast
from agentdoctor.forecast.after import After
from agentdoctor.forecast.instance import FIRST, GroupUnclear, chosen
from agentdoctor.host import Host
from forecast.holding import BUNDLE, FILES, INSTRUCTIONS, OTHERS, OURS, ROOT, lay, lines, told

COPY = '{"instructions":[{"type":"copy","source":"/a","destination":"/srv/app/index.html"}]}'


def behaving(behavior: str) -> dict[str, str]:
    return {**BUNDLE, "appspec.yml": FILES + f"file_exists_behavior: {behavior}\n"}


STANDS = {"/srv/app/index.html": "old"}
NOBODY = "/srv/app/index.html is there already: no deployment group has installed it"
TARGET_CASES = {
    "nothing there": ({}, BUNDLE, []),
    "a directory where one is wanted": ({"/srv/app/img": None}, BUNDLE, []),
    "nobody's file": (
        STANDS,
        BUNDLE,
        [f"critical file-already-exists appspec.yml:4 {NOBODY}; Install stops there, unless the deployment says"],
    ),
    "two of them": (
        {**STANDS, "/srv/app/img/a.png": "old"},
        behaving("DISALLOW"),
        [f"critical file-already-exists appspec.yml:4 {NOBODY} (1 more like it); Install stops there"],
    ),
    "the agent removes it first": ({**STANDS, OURS: "/srv/app\n/srv/app/index.html\n"}, BUNDLE, []),
    "written in another way": ({**STANDS, OURS: "/srv//app/./index.html\n"}, BUNDLE, []),
    "the last line of the list is cut": ({**STANDS, OURS: "/srv/app/index.html"}, BUNDLE, [NOBODY[:30]]),
    "installed, and on the list no more": (
        {**STANDS, f"{INSTRUCTIONS}/g-1-install.json": COPY},
        BUNDLE,
        ["this group has installed it, and its clean-up list no longer names it"],
    ),
    "another group's": (
        {**STANDS, OURS: "/srv/x\n", OTHERS: "/srv/app/index.html\n"},
        BUNDLE,
        ["group g-2 has installed it; Install stops there"],
    ),
    "another group's, written over": (
        {**STANDS, OURS: "/srv/x\n", OTHERS: "/srv/app/index.html\n"},
        behaving("OVERWRITE"),
        ["warning file-already-exists"],
    ),
    "written over": (
        STANDS,
        behaving("OVERWRITE"),
        [f"info file-already-exists appspec.yml:4 {NOBODY}; it is written over, and removed by the next Install"],
    ),
    "kept": (STANDS, behaving("RETAIN"), [f"info file-already-exists appspec.yml:4 {NOBODY}; it stays"]),
    "a directory where a file is wanted": ({"/srv/app/index.html": None}, BUNDLE, ["critical file-already-exists"]),
    "the same, written over": ({"/srv/app/index.html": None}, behaving("OVERWRITE"), ["warning destination-conflict"]),
    "a file where a directory is wanted": (
        {"/srv/app": "x"},
        BUNDLE,
        ["critical destination-conflict appspec.yml:4 /srv/app is a file here, and Install needs a directory there"],
    ),
    "the same, removed first": ({"/srv/app": "x", OURS: "/srv/app\n"}, BUNDLE, []),
    "a file above it": (
        {"/srv": "x"},
        BUNDLE,
        ["critical destination-conflict appspec.yml:4 /srv is a file here"],
    ),
    "a relative destination": (
        {},
        {**BUNDLE, "appspec.yml": FILES.replace("/srv", "srv")},
        ["only the agent knows from which directory that is taken"],
    ),
}


@pytest.mark.parametrize(("files", "bundle", "expected"), TARGET_CASES.values(), ids=TARGET_CASES)
def test_what_stands_at_a_destination(
    files: dict[str, str | None], bundle: dict[str, str], expected: list[str], tmp_path: Path
) -> None:
    """And whose it is, after what the agent removes first."""
    root = tmp_path / "root"
    lay(root, {"/srv": None, ROOT: None, **files} if files.get("/srv") is None else files)
    problems, errors = told(root, bundle, "g-1" if OURS in files else "")
    found = [*lines(problems), *errors]

    assert len(found) >= len(expected), found
    assert bool(found) is bool(expected), found
    for words in expected:
        assert any(words in line for line in found), found


def test_links_are_followed_as_ruby_does(tmp_path: Path) -> None:
    """A link to nothing does not exist; a link on the list is removed, and not what it leads to."""
    lay(tmp_path, {"/srv/real/index.html": "x"})
    for name, target in (("dangling", "nowhere"), ("good", "real"), ("listed", "real")):
        (tmp_path / "srv" / name).symlink_to(target)
    after = After(Host(root=str(tmp_path)), {"/srv/listed"})

    assert after.stands("/srv/dangling") == ""
    assert after.stands("/srv/good/index.html") == "file"
    assert (after.stands("/srv/listed/index.html"), after.stands("/srv/real/index.html")) == ("", "file")


def test_a_directory_goes_only_when_it_is_empty(tmp_path: Path) -> None:
    """What others put into it keeps it."""
    lay(tmp_path, {"/a/b/c": "x", "/d/e": "x", "/d/theirs": "x"})
    after = After(Host(root=str(tmp_path)), {"/a", "/a/b", "/a/b/c", "/d", "/d/e"})

    assert [after.gone(path) for path in ("/a", "/a/b/c/x", "/d", "/d/e", "/d/theirs")] == [
        True, True, False, True, False,
    ]  # fmt: skip


def test_which_group_is_meant(tmp_path: Path) -> None:
    """The only one, or the one that is named; else it is said what is needed."""
    lay(tmp_path, {OURS: "", OTHERS: ""})
    host = Host(root=str(tmp_path))
    ask = Asker(host).ask

    with pytest.raises(GroupUnclear, match=r"several deployment groups.*g-1, g-2, or new"):
        chosen(host, ask, "")
    with pytest.raises(GroupUnclear, match=r"'g-3' .*did you mean 'g-[12]'"):
        chosen(host, ask, "g-3")
    assert (chosen(host, ask, "g-2").group, chosen(host, ask, "g-2").others) == ("g-2", ("g-1",))
    assert (chosen(host, ask, FIRST).group, chosen(host, ask, FIRST).others) == ("", ("g-1", "g-2"))
    os.unlink(tmp_path / OTHERS.lstrip("/"))
    assert chosen(host, ask, "").group == "g-1"


def test_a_copied_tree_does_not_tell(tmp_path: Path) -> None:
    """What it lacks may stand on its host, so nothing is well there."""
    lay(tmp_path / "root", {OURS: "/srv/x\n"})
    host = Host(root=str(tmp_path / "root"), live=False)
    instance = chosen(host, Asker(host).ask, "")
    found = opened(str(pack("zip", BUNDLE, tmp_path)))
    assert found is not None

    _, errors = judge(found, TARGETS, IDS, lambda revision: forecast(revision, instance))

    assert "what stands at the destinations: a copied tree does not hold all that its host has" in errors


def test_a_list_of_another_group_that_cannot_be_read(tmp_path: Path) -> None:
    """What stands there is told all the same, and nobody is said to own it."""
    root = tmp_path / "root"
    lay(root, {**STANDS, OURS: "/srv/x\n"})
    (root / OTHERS.lstrip("/")).symlink_to("/etc/hostname")  # out of the root, as good as closed

    problems, errors = told(root, BUNDLE, "g-1")

    assert "is there already: no list that could be read names it" in problems[0].text
    assert [error.partition(":")[0] for error in errors] == ["what group g-2 has installed"]
    assert "None" not in errors[0]


def test_what_may_not_be_read_is_unknown(tmp_path: Path) -> None:
    """A link out of a copied root stands for any path that is closed to us."""
    root = tmp_path / "root"
    lay(root, {ROOT: None, "/srv": None})
    (root / "srv/app").symlink_to("/")

    problems, errors = told(root, BUNDLE)

    assert not [p for p in problems if p.rule == "file-already-exists"]
    assert any(error.startswith("what stands at the destinations: ") for error in errors), errors
