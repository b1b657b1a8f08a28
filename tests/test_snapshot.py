"""A snapshot gives the findings of its host elsewhere, and holds none of its secrets."""

from __future__ import annotations

import io
import json
import os
import stat
import subprocess
import tarfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import canaries
import pytest

from agentdoctor import journal, probes, runs
from agentdoctor.host import Host
from agentdoctor.model import Record, Rule
from agentdoctor.probes import CannotLook, Look, Probe, Values
from agentdoctor.report.json import render as as_json
from agentdoctor.report.text import render as as_text
from agentdoctor.rules.schema import parse
from agentdoctor.snapshot import files, packing, unpacking
from agentdoctor.snapshot.taking import Snapshot, summary, take
from conftest import CORPUS, TOP

Cli = Callable[..., "subprocess.CompletedProcess[str]"]
TREES = {
    **{path.name: path for path in sorted(CORPUS.iterdir()) if path.is_dir()},
    **{f"demo {path.name}": path for path in sorted((TOP / "agentdoctor/demo").iterdir())},
}
ROOT = "opt/codedeploy-agent/deployment-root"
GROUP, ID = "11111111-2222-3333-4444-555555555555", "d-ABCDEF123"
REVISION = f"{ROOT}/{GROUP}/{ID}"
LOG = "var/log/aws/codedeploy-agent/codedeploy-agent.log"


def written(tree: Path, contents: dict[str, str]) -> Path:
    """A tree with these files."""
    for name, content in contents.items():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text(content)
    return tree


def paths(snapshot: Snapshot) -> dict[str, bytes]:
    """What is in a snapshot, by path."""
    return {item.path: item.content for item in snapshot.items}


def taken(tree: Path, rules: Sequence[Rule] = (), **options: Any) -> Snapshot:
    """A snapshot of a tree."""
    return take(Host.snapshot(str(tree)), rules, **options)


@pytest.mark.parametrize("name", TREES)
def test_the_same_findings(name: str, tmp_path: Path, rules: tuple[Rule, ...]) -> None:
    """Ids, states, verdicts, subjects, and every row of the checks."""
    host = Host.snapshot(str(TREES[name]))
    packing.write(take(host, rules), str(tmp_path / "x.tar.gz"))
    here = runs.check(rules, host)
    with unpacking.opened(str(tmp_path / "x.tar.gz")) as root:
        there = runs.check(rules, Host.snapshot(root))

    assert summary(there) == summary(here)
    assert [(x.id, x.outcome, x.reason) for x in there.checks] == [(x.id, x.outcome, x.reason) for x in here.checks]
    assert (there.exit_code, there.host) == (here.exit_code, here.host)


def test_of_a_snapshot_again(tmp_path: Path, rules: tuple[Rule, ...]) -> None:
    """A snapshot of an unpacked snapshot holds the same evidence."""
    first = taken(CORPUS / "d_nested", rules)
    packing.write(first, str(tmp_path / "x.tar.gz"))
    with unpacking.opened(str(tmp_path / "x.tar.gz")) as root:
        again = taken(Path(root), rules)

    assert [(name, paths(again)[name]) for name in paths(first) if name != "/MANIFEST.json"] == [
        (name, content) for name, content in paths(first).items() if name != "/MANIFEST.json"
    ]


RULE = """\
title: The test says so
severity: critical
area: test
signature: {any: ['the disk (?P<path>\\S+) is odd']}
confirm: {test.place: {odd: true}, test.whole: {x: 1}}
cause: It does.
remediation: [{text: Mend it, where: instance}]
recovery: {any: ['never says this']}
docs: https://example.com
"""


@pytest.fixture
def living(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Host:
    """A living host whose files lie in a directory, with probes that look at nothing else."""
    probes.names()  # what registers itself later would take the place of these, and be gone after the test
    monkeypatch.setattr(journal, "read", lambda _: iter(JOURNAL))

    def add(name: str, look: Callable[[Look], Values], about: tuple[str, ...] = (), live: bool = True) -> None:
        monkeypatch.setitem(probes._found, name, Probe(name, "disk", look, live, about))

    add("test.whole", lambda _: {"x": 1, "said": f"password={canaries.SECRETS['password in YAML']}"})
    add("test.place", lambda look: {"odd": look.about["path"] == "/srv"}, ("path",))
    for name in ("imds.document", "package.version", "unit.restart_risk"):
        add(name, refuses)
    written(tmp_path / "host", {LOG: "2026-11-22T21:02:37 ERROR [codedeploy-agent(2)]: the disk /srv is odd\n"})
    return Host(root=str(tmp_path / "host"), broken_rules=())


def refuses(look: Look) -> Values:
    raise CannotLook("it is not for us")


JOURNAL = [
    Record("journal", "Started.\n\tas a daemon", "journal", at=1795380965.25, pid=1),
    Record("journal", f"API_KEY={canaries.SECRETS['API key by its name']}", "journal", at=1795380966.0, pid=77),
]


def test_evidence_of_a_living_host(living: Host, tmp_path: Path) -> None:
    """What probes saw, about what they saw it, and why one could not look; all without the host."""
    rule = parse(RULE, "test-says-so.yaml")
    here = runs.check([rule], living)
    snapshot = take(living, [rule])
    packing.write(snapshot, str(tmp_path / "x.tar.gz"))
    with unpacking.opened(str(tmp_path / "x.tar.gz")) as root:
        there = Host.snapshot(root)
        run = runs.check([rule], there)
        entries = list(journal.written(there.path(there.journal)))

    assert summary(run) == summary(here)
    assert [(x["id"], x["verdict"]) for x in summary(run)] == [("test-says-so", "confirmed")]
    assert run.host["name"] == os.uname().nodename
    assert there.recorded["imds.document"] == {"outcome": "unknown", "reason": "it is not for us"}
    assert there.recorded["test.whole"]["value"] == {"x": 1, "said": "password=<password-1>"}
    assert [(x.message, x.at, x.pid) for x in entries] == [
        (JOURNAL[0].message, JOURNAL[0].at, 1),
        ("API_KEY=<key-1>", JOURNAL[1].at, 77),
    ]


def test_what_could_not_be_read_is_not_healthy_elsewhere(living: Host, tmp_path: Path) -> None:
    """A log that is no log there is a problem here too."""
    (Path(living.root) / LOG).write_bytes(bytes(range(32)) * 100)
    packing.write(take(living, []), str(tmp_path / "x.tar.gz"))
    with unpacking.opened(str(tmp_path / "x.tar.gz")) as root:
        run = runs.check([], Host.snapshot(root))

    assert run.problems == [f"/{LOG}: is not a text file"]
    assert run.exit_code == 3


def inspected(text: str) -> str:
    """A hook's output as the agent of 1.x reports it: JSON inside of a Ruby string."""
    payload = json.dumps({"error_code": 4, "script_name": "a.sh", "message": "m", "log": f"[stderr]x\n{text}\n"})
    return (
        "2026-11-22T21:02:37 INFO  [codedeploy-agent(2)]: [Aws::CodeDeployCommand::Client 200 0.1 0 retries] "
        f'put_host_command_complete(command_status:"Failed",diagnostics:{{format:"JSON",payload:{json.dumps(payload)}}},'
        'host_command_identifier:"eyJkIjoiZC1BQkNERUYxMjMifQ==")  \n'
    )


def seeded(tmp_path: Path) -> Path:
    """A tree with every canary in every file that is taken."""
    plain = "".join(f"{text}\n" for text in canaries.TEXTS.values())
    lines = [line for text in canaries.TEXTS.values() for line in text.splitlines()]
    agent = "".join(
        f"2026-11-22T21:02:37 ERROR [codedeploy-agent(2)]: odd: {text}\n{inspected(text)}"
        for text in canaries.TEXTS.values()
    )
    evidence = {"test.canary": {"value": dict(canaries.TEXTS)}, "test.reason": {"reason": plain}}
    answers = [{"probe": "test.about", "about": {"path": text}, "reason": text} for text in canaries.TEXTS.values()]
    record = {"schema": "agentdoctor.snapshot/1", "evidence": evidence, "answers": answers, "journal": True}
    record |= {"problems": [plain], "notes": [plain], "host": {"name": canaries.TEXTS["access key id"]}}
    entries = [Record("journal", text, "journal", at=1795380965.0, pid=1) for text in canaries.TEXTS.values()]
    appspec = "version: 0.0\nos: linux\nhooks:\n  AfterInstall: [{location: scripts/a.sh}]\n"
    return written(
        tmp_path / "seeded",
        {
            "agentdoctor-snapshot.json": json.dumps(record),
            "agentdoctor-journal.log": "".join(journal.line(entry) + "\n" for entry in entries),
            LOG: agent,
            f"{ROOT}/deployment-logs/codedeploy-agent-deployments.log": "".join(
                f"[2026-11-22 21:02:37.123] [{ID}][stderr]{line}\n" for line in lines
            ),
            f"{REVISION}/logs/scripts.log": "".join(f"2026-11-22 21:02:37 [stderr]{line}\n" for line in lines),
            "tmp/codedeploy-agent.update.log": plain,
            "etc/codedeploy-agent/conf/codedeployagent.yml": ":log_dir: '/var/log/aws/codedeploy-agent'\n" + plain,
            "etc/codedeploy-agent/conf/codedeploy.onpremises.yml": plain,
            "root/.aws/credentials": plain,
            f"{REVISION}/deployment-archive/appspec.yml": appspec + plain,
            f"{REVISION}/deployment-archive/scripts/a.sh": "#!/bin/sh\n" + plain,
            f"{REVISION}/deployment-archive/config/secrets.env": plain,
            f"{REVISION}/deployment-archive/{canaries.SECRETS['access key id']}.txt": plain,
            f"{REVISION}/bundle.tar": plain,
            f"{ROOT}/deployment-instructions/{GROUP}-install.json": json.dumps({"instructions": [plain]}),
            f"{ROOT}/ongoing-deployment/{ID}": plain,
            "opt/codedeploy-agent/.version": plain + "agent_version: OFFICIAL_1.8.1-99_deb\n",
            "etc/os-release": f'PRETTY_NAME="{canaries.TEXTS["access key id"]}"\n',
        },
    )


def test_forty_canaries(tmp_path: Path, rules: tuple[Rule, ...]) -> None:
    """Every kind of secret in every input: none in the snapshot, in its list, or in a report in any form."""
    tree = seeded(tmp_path)
    assert len(canaries.SECRETS) >= 40
    snapshot = taken(tree, rules)
    packed = io.BytesIO()
    packing.pack(snapshot, packed)
    packed.seek(0)
    with tarfile.open(fileobj=packed) as archive:
        members = archive.getmembers()
        contents = [file.read() for member in members if (file := archive.extractfile(member))]
    packing.write(snapshot, str(tmp_path / "x.tar.gz"))
    with unpacking.opened(str(tmp_path / "x.tar.gz")) as root:
        reports = [runs.check(rules, Host.snapshot(place)) for place in (root, str(tree))]
    texts = [as_text(run, verbose=True) + as_json(run) for run in reports]
    shown = "\n".join(
        [*(member.name for member in members), *(x.decode() for x in contents), *texts, *map(unfolded, texts)]
    )

    assert {"/" + member.name.partition("/")[2] for member in members} > {f"/{LOG}", "/agentdoctor-journal.log"}
    assert all(run.findings for run in reports)
    assert [name for name, secret in canaries.SECRETS.items() if secret in shown] == []


def unfolded(text: str) -> str:
    """Without the line breaks of the layout."""
    return "".join(part.strip() for part in text.splitlines())


def test_the_same_secret_has_the_same_name(tmp_path: Path) -> None:
    """In all files of a snapshot, also where nothing tells that it is one."""
    first, second = "Tr0ub4dor-and-3", "C0rrect-h0rse"
    tree = written(
        tmp_path,
        {
            "etc/codedeploy-agent/conf/codedeployagent.yml": f":password: {first}\n",
            LOG: f"2026-11-22T21:02:37 ERROR [codedeploy-agent(2)]: {first} is refused, --password {second} too\n",
            "opt/codedeploy-agent/.version": f"agent_version: {second}/{first}",
        },
    )
    snapshot = taken(tree)
    found = paths(snapshot)

    assert found["/etc/codedeploy-agent/conf/codedeployagent.yml"] == b":password: <password-1>\n"
    assert b"<password-1> is refused, --password <password-2> too" in found[f"/{LOG}"]
    assert found["/opt/codedeploy-agent/.version"] == b"agent_version: <password-2>/<password-1>"
    rows = {row["path"]: row for row in snapshot.manifest["files"]}
    assert rows[f"/{LOG}"]["removed"] == {"password": 2}
    assert snapshot.manifest["removed"]["password"] >= 5


def test_ids_are_no_secrets(tmp_path: Path) -> None:
    """Where an id is said to be a token, it stays where it stands for what it is."""
    tree = written(tmp_path, {LOG: f"token: {ID}\n2026-11-22T21:02:37 ERROR [codedeploy-agent(2)]: {ID} failed\n"})

    assert paths(taken(tree))[f"/{LOG}"].endswith(f"{ID} failed\n".encode())


def test_pseudonyms_of_the_host(tmp_path: Path) -> None:
    """Account, addresses and names of hosts only where they are asked for."""
    said = "arn:aws:iam::123456789012:role/x from 10.1.2.3 at ip-10-1-2-3 by 169.254.169.254 with 1.8.1.99x\n"
    tree = written(tmp_path, {LOG: said})

    assert paths(taken(tree))[f"/{LOG}"] == said.encode()
    assert paths(taken(tree, pseudonyms=True))[f"/{LOG}"] == (
        b"arn:aws:iam::<account-1>:role/x from <address-1> at <host-1> by 169.254.169.254 with 1.8.1.99x\n"
    )


def test_what_is_taken_of_a_revision(tmp_path: Path) -> None:
    """Names and modes of all, contents of AppSpec and hooks, and never a link."""
    archive = f"{REVISION}/deployment-archive"
    tree = written(
        tmp_path,
        {
            f"{archive}/appspec.yml": "hooks: {AfterInstall: [{location: /scripts/a.sh}, {location: ../../../x}]}",
            f"{archive}/scripts/a.sh": "#!/bin/sh\r\n",
            f"{archive}/app.py": "print()",
            f"{REVISION}/bundle.tar": "x",
            "outside": "y",
        },
    )
    (tree / archive / "app.py").chmod(0o750)
    os.symlink(tree / "outside", tree / archive / "link")
    os.symlink("/nowhere", tree / archive / "dangling")
    snapshot = taken(tree)
    found = {path.removeprefix(f"/{archive}/"): content for path, content in paths(snapshot).items() if archive in path}
    app = next(item for item in snapshot.items if item.path.endswith("app.py"))

    assert {name: found[name] for name in ("app.py", "scripts/a.sh", "link")} == {
        "app.py": b"", "scripts/a.sh": b"#!/bin/sh\r\n", "link": b"",
    }  # fmt: skip
    assert (app.mode, app.size, app.note) == (0o750, 7, "its name alone")
    assert "dangling" not in found
    assert f"/{REVISION}/bundle.tar" not in paths(snapshot)
    assert {"path": f"/{REVISION}/bundle.tar", "why": "contents of bundles are not taken"} in snapshot.manifest[
        "left_out"
    ]


BOUNDS: dict[str, tuple[str, int, str, int, str]] = {
    "a log": ("LOG_LIMIT", 100, LOG, 99, "its newest 0 MB"),
    "all together": ("TOTAL_LIMIT", 50, LOG, 0, "its name alone"),
}


@pytest.mark.parametrize(("limit", "value", "path", "size", "note"), BOUNDS.values(), ids=BOUNDS)
def test_bounds(limit: str, value: int, path: str, size: int, note: str, tmp_path: Path, monkeypatch: Any) -> None:
    """The newest whole lines are kept, and the manifest says what was cut."""
    monkeypatch.setattr(files, limit, value)
    monkeypatch.setattr(
        files.Files.__init__, "__defaults__", (*files.Files.__init__.__defaults__[:-1], files.TOTAL_LIMIT)
    )
    lines = "".join(f"{number:08} x\n" for number in range(100))
    snapshot = taken(written(tmp_path, {path: lines}))
    (row,) = (row for row in snapshot.manifest["files"] if row["path"] == f"/{path}")

    assert (row["bytes"], row["of_bytes"], row["note"]) == (size, len(lines), note)
    assert lines.endswith(paths(snapshot)[f"/{path}"].decode())


def test_on_premises_keys_alone(tmp_path: Path) -> None:
    """Which settings there are, without one value."""
    path = "etc/codedeploy-agent/conf/codedeploy.onpremises.yml"
    tree = written(tmp_path, {path: "---\naws_access_key_id: x\naws_secret_access_key: |\n  y\nregion: z\n"})

    assert paths(taken(tree))[f"/{path}"] == (
        b"aws_access_key_id: <removed>\naws_secret_access_key: <removed>\nregion: <removed>\n"
    )


def test_the_file(tmp_path: Path) -> None:
    """For its owner alone, the same each time, never over another file, and none left of one that failed."""
    snapshot = taken(CORPUS / "d_nested")
    for name in ("a", "b"):
        packing.write(snapshot, str(tmp_path / name))

    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o600
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    with pytest.raises(FileExistsError):
        packing.write(snapshot, str(tmp_path / "a"))
    os.symlink(tmp_path / "elsewhere", tmp_path / "link")
    with pytest.raises(FileExistsError):
        packing.write(snapshot, str(tmp_path / "link"))
    assert not (tmp_path / "elsewhere").exists()


def test_the_command(cli: Cli, tmp_path: Path) -> None:
    """It prints where the snapshot lies; the other commands read it, and leave nothing behind."""
    tree = str(CORPUS / "d_yaml_ext")
    made = cli("snapshot", "--root", tree, env={"TMPDIR": str(tmp_path)})
    path = made.stdout.strip()
    one, other = (cli("check", *where, "--format", "json") for where in (("--root", tree), ("--snapshot", path)))
    proof = cli("verify", "appspec-misnamed", "--snapshot", path)
    before = sorted(os.listdir(tmp_path))

    assert (made.returncode, made.stderr) == (0, "")
    assert path.startswith("agentdoctor-")
    assert path.endswith("Z.tar.gz")
    assert (other.returncode, proof.returncode) == (one.returncode, 2), proof.stderr
    assert [x["id"] for x in json.loads(other.stdout)["findings"]] == [
        x["id"] for x in json.loads(one.stdout)["findings"]
    ]
    assert before == [path]


def test_the_list(cli: Cli, tmp_path: Path) -> None:
    """It says what would be taken and removed, and writes nothing."""
    tree = written(tmp_path / "tree", {LOG: "2026-11-22T21:02:37 ERROR [codedeploy-agent(2)]: password=x1 token=y22\n"})
    done = cli("snapshot", "--list", "--root", str(tree))

    assert done.returncode == 0
    assert f" /{LOG}  # removed: 1 password, 1 token\n" in done.stdout
    assert "left out: credentials: " in done.stdout
    assert os.listdir(tmp_path) == ["tree"]


def test_output(cli: Cli, tmp_path: Path) -> None:
    """Where it was asked for; what is there already stays."""
    arguments = ("snapshot", "--root", str(CORPUS / "d_nested"), "--output")
    first, second, third = cli(*arguments, "x.tgz"), cli(*arguments, "x.tgz"), cli(*arguments, "no/x.tgz")

    assert (first.returncode, first.stdout) == (0, "x.tgz\n")
    assert second.returncode == third.returncode == 3
    assert second.stderr == "agentdoctor: --output: x.tgz exists already, and is not overwritten\n"
    assert third.stderr == "agentdoctor: --output: no/x.tgz: No such file or directory\n"
