"""The probe of hooks that hid a failure: the few texts that prove one, and the many that look like it."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest

from agentdoctor.host import Host
from agentdoctor.model import Outcome
from agentdoctor.words import say
from conftest import CORPUS

from .conftest import Command, Start, ask, cases, value, write

ROOT = "/opt/codedeploy-agent/deployment-root"
INSTRUCTIONS = f"{ROOT}/deployment-instructions"
PLACE = f"{ROOT}/g/d-ABCDEF123"
NOHUP = "nohup: failed to run command 'no-such-app': No such file or directory"
Files = dict[str, str | None]


def log(*lines: str, event: str = "ApplicationStart") -> str:
    """A scripts.log of one event, as 1.x writes it."""
    stamp = "2026-11-22 21:00:35 "
    return "".join(
        f"{stamp}{line}\n"
        for line in (
            *(f"LifecycleEvent - {event}", "Script - scripts/start.sh", "[stdout]starting"),
            *(f"[stderr]{line}" for line in lines),
        )
    )


def succeeded(printed: str | None, script: str = "#!/bin/sh\n./x &\n", place: str = PLACE, group: str = "g") -> Files:
    """A deployment that the pointer of its group calls successful, with the output and the script of its hook."""
    files: Files = {
        f"{INSTRUCTIONS}/{group}_last_successful_install": place,
        f"{place}/deployment-archive/scripts/start.sh": script,
    }
    return {**files, f"{place}/logs/scripts.log": printed} if printed is not None else files


PROVEN = [
    ("nohup", NOHUP, "no-such-app"),
    ("nohup in UTF-8", "nohup: failed to run command \u2018./run-app\u2019: Permission denied", "./run-app"),
    ("nohup, with what the shell says before", f"start.sh: line 3: {NOHUP}", "no-such-app"),
    ("setsid", "setsid: failed to execute /srv/app/server: No such file or directory", "/srv/app/server"),
    ("a unit", "Failed to start shop.service: Unit shop.service not found.", "shop.service"),
    ("a masked unit", "Failed to start shop@1.service: Unit shop@1.service is masked.", "shop@1.service"),
    ("a jar", "Error: Unable to access jarfile /srv/app/shop.jar", "java"),
    ("Java's port", "Caused by: java.net.BindException: Address already in use (Bind failed)", "java"),
    ("Node's port", "Error: listen EADDRINUSE: address already in use :::3000", "node"),
]


@cases(PROVEN)
def test_what_proves_it(tmp_path: Path, text: str, command: str) -> None:
    """In a copied tree, where nobody can say what runs."""
    seen = value("hooks.hidden", write(tmp_path, succeeded(log("a warning", text, "done"))))
    assert (seen["command"], seen["event"], seen["script"]) == (command, "ApplicationStart", "scripts/start.sh")
    assert (seen["log"], seen["deployment_id"]) == (f"{PLACE}/logs/scripts.log", "d-ABCDEF123")
    assert seen["text"] in text
    assert (seen["running"], seen["reason"]) == (None, "a copied tree does not show what runs")


HARMLESS = [
    ("nothing", "done"),
    ("nohup at work", "nohup: ignoring input and appending output to 'nohup.out'"),
    ("a command that is not there", "scripts/start.sh: line 9: newrelic: command not found"),
    ("a stop of what does not run", "Failed to stop shop.service: Unit shop.service not loaded."),
    ("a restart before the unit is there", "Failed to restart shop.service: Unit shop.service not found."),
    ("a unit that could be started later", "Failed to start shop.service: Connection timed out"),
    ("kill", "kill: (812): No such process"),
    ("pkill", "pkill: pidfile not valid"),
    ("a warning of npm", "npm WARN deprecated request@2.88.2: request has been deprecated"),
    ("apt", "WARNING: apt does not have a stable CLI interface. Use with caution in scripts."),
    ("getcwd", "shell-init: error retrieving current directory: getcwd: cannot access parent directories"),
    ("a file that is not there", "rm: cannot remove '/srv/app/old': No such file or directory"),
    ("a port that is free", "Address already in use? no"),
    ("another exception", "java.net.ConnectException: Connection refused"),
    ("a text about it", "if you see failed to run command, install java"),
    ("a jar that is there", "Started shop.jar in 4.2 seconds"),
]


@cases(HARMLESS)
def test_what_proves_nothing(tmp_path: Path, text: str) -> None:
    seen = value("hooks.hidden", write(tmp_path, succeeded(log(text))))
    assert (seen["text"], seen["command"], seen["running"], seen["logs"]) == ("", "", None, 1)


HTTPD = "Failed to start httpd.service: Unit httpd.service not found."
MINDED = [
    ("an alternative", "nohup no-such-app || nohup other-app &\n", NOHUP),
    ("an alternative on the next line", "nohup no-such-app ||\n  nohup other-app &\n", NOHUP),
    ("a line that goes on", "nohup no-such-app \\\n  || true\n", NOHUP),
    ("a condition", "if ! nohup no-such-app; then exit 1; fi\n", NOHUP),
    ("two names of one server", "systemctl start httpd || systemctl start apache2\n", HTTPD),
    ("service", "service httpd start || true\n", HTTPD),
    ("a loop over names", "for s in httpd apache2; do\n  systemctl start $s\ndone\n", HTTPD),
    ("a jar", "java -jar /srv/shop.jar || true\n", "Error: Unable to access jarfile /srv/shop.jar"),
]


@cases(MINDED)
def test_a_script_that_says_what_happens_then(tmp_path: Path, script: str, text: str) -> None:
    assert value("hooks.hidden", write(tmp_path, succeeded(log(text), script)))["text"] == ""


NOT_MINDED = [
    ("in the background", "nohup no-such-app > app.log 2>&1 &\n", NOHUP),
    ("another line has the alternative", "mkdir /srv || true\nnohup no-such-app &\n", NOHUP),
    ("the condition is about another", "if pgrep no-such-app; then exit; fi\nnohup no-such-app &\n", NOHUP),
    ("the loop waits for the end", "while pgrep no-such-app; do sleep 1; done\nnohup no-such-app &\n", NOHUP),
    ("another name", "nohup no-such-app-2 || true\nnohup no-such-app &\n", NOHUP),
    ("systemctl alone", "systemctl start httpd\nexit 0\n", HTTPD),
]  # fmt: skip


@cases(NOT_MINDED)
def test_a_script_that_goes_on(tmp_path: Path, script: str, text: str) -> None:
    assert value("hooks.hidden", write(tmp_path, succeeded(log(text), script)))["text"]


def test_what_the_last_revision_printed(tmp_path: Path) -> None:
    """ApplicationStop of the revision before is in the same file, and ends what is to end."""
    printed = log(NOHUP, event="ApplicationStop")
    assert value("hooks.hidden", write(tmp_path, succeeded(printed)))["text"] == ""
    assert value("hooks.hidden", write(tmp_path, succeeded(printed + log("x") + log(NOHUP))))["text"]


def test_glued_lines(tmp_path: Path) -> None:
    """A hook's last line without a line break has the next entry glued to it."""
    printed = "2026-11-22 21:00:35 [stdout]end" + log(NOHUP)
    assert value("hooks.hidden", write(tmp_path, succeeded(printed)))["event"] == "ApplicationStart"


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    host = write(tmp_path, succeeded(log()))
    (tmp_path / f"{PLACE}/logs/scripts.log"[1:]).write_bytes(b"\xff\xfe[stderr]" + NOHUP.encode() + b"\n\x00")
    assert value("hooks.hidden", host)["command"] == "no-such-app"


def test_the_end_of_a_long_log(tmp_path: Path) -> None:
    """A log may have 64 MB; what is read is bounded."""
    assert value("hooks.hidden", write(tmp_path, succeeded(log(NOHUP) + log("x" * 300_000))))["text"] == ""
    assert value("hooks.hidden", write(tmp_path, succeeded(log("x" * 300_000) + log(NOHUP))))["text"]


NOTHING: list[tuple[str, Files]] = [
    ("no deployment", {}),
    ("no hooks", succeeded(None)),
    ("none that succeeded", {f"{PLACE}/logs/scripts.log": log(NOHUP)}),
    ("a torn pointer", {**succeeded(log(NOHUP)), f"{INSTRUCTIONS}/g_last_successful_install": ""}),
    ("a pointer elsewhere", {**succeeded(log(NOHUP)), f"{INSTRUCTIONS}/g_last_successful_install": "/etc"}),
    ("a pointer to another deployment", succeeded(log(NOHUP)) | succeeded(None, place=f"{ROOT}/g/d-ABCDEF124")),
]


@cases(NOTHING)
def test_nothing_to_look_at(tmp_path: Path, files: Files) -> None:
    assert ask("hooks.hidden", write(tmp_path, files)).outcome is Outcome.SKIP


def test_a_log_that_is_none(tmp_path: Path) -> None:
    """A directory in its place cannot be read, and that is not well."""
    assert ask("hooks.hidden", write(tmp_path, succeeded(None) | {f"{PLACE}/logs/scripts.log/x": ""})).value is None


def test_a_script_outside_the_revision_is_not_read(tmp_path: Path) -> None:
    """The log names it, and strangers write logs."""
    printed = log(NOHUP).replace("scripts/start.sh", "../../x.sh")
    files = succeeded(printed) | {f"{ROOT}/g/x.sh": "nohup no-such-app || true\n"}
    assert value("hooks.hidden", write(tmp_path, files))["text"]


@pytest.mark.parametrize("name", ["d_invalid_utf8", "d_clean_root", "d_nested"])
def test_real_output_is_silent(name: str) -> None:
    """Hooks of the real agent that succeeded."""
    seen = ask("hooks.hidden", Host.snapshot(str(CORPUS / name)))
    assert seen.value["text"] == "" if seen.value else seen.outcome is Outcome.SKIP


def living(root: Path, text: str) -> Host:
    write(root / "tree", succeeded(log(text)))
    return Host(root=str(root / "tree"))


def test_nothing_runs(tmp_path: Path) -> None:
    seen = value("hooks.hidden", living(tmp_path, NOHUP.replace("no-such-app", uuid.uuid4().hex)))
    assert seen["running"] is False


CALLED = [
    ("by its name", ("{name}",)),
    ("by its path", ("/srv/app/{name}",)),
    ("with a title of its own", ("{name}: master [shop]",)),
    ("of a later version", ("{name}3.12",)),
    ("through an interpreter", ("node", "start")),
]


@cases(CALLED)
def test_it_runs(tmp_path: Path, start: Start, argv: tuple[str, ...]) -> None:
    """Whatever started it since."""
    name = "start" if argv[0] == "node" else f"app{uuid.uuid4().hex[:8]}x"
    start(*(word.format(name=name) for word in argv))
    seen = value("hooks.hidden", living(tmp_path, NOHUP.replace("no-such-app", f"./{name}")))
    assert (seen["running"], seen["command"]) == (True, f"./{name}")


def test_another_has_its_name_as_argument(tmp_path: Path, start: Start) -> None:
    """An editor that shows its file is not the application."""
    name = f"app{uuid.uuid4().hex[:8]}x"
    start("vi", "start", name)
    assert value("hooks.hidden", living(tmp_path, NOHUP.replace("no-such-app", name)))["running"] is False


UNITS = [("active", True), ("activating", True), ("inactive", False), ("failed", False)]


@pytest.mark.parametrize(("state", "running"), UNITS)
def test_a_unit(tmp_path: Path, command: Command, state: str, running: bool) -> None:
    """Its processes have other names, so systemd is asked."""
    name = uuid.uuid4().hex
    command("systemctl", f'test "$4" = {name}.service && echo ActiveState={state}')
    host = living(tmp_path, f"Failed to start {name}.service: Unit {name}.service not found.")
    assert value("hooks.hidden", host)["running"] is running


def test_systemd_does_not_answer(tmp_path: Path, no_commands: None) -> None:
    """Then nobody knows."""
    host = living(tmp_path, "Failed to start shop.service: Unit shop.service not found.")
    assert ask("hooks.hidden", host).outcome is Outcome.UNKNOWN


def test_of_two_the_one_that_does_not_run(tmp_path: Path, start: Start) -> None:
    first, second = (f"app{uuid.uuid4().hex[:8]}x" for _ in range(2))
    start(first)
    text = "\n".join(NOHUP.replace("no-such-app", name) for name in (first, second))
    seen = value("hooks.hidden", living(tmp_path, text))
    assert (seen["command"], seen["running"]) == (second, False)


SEEN = {
    "log": "/l",
    "event": "ApplicationStart",
    "script": "a.sh",
    "text": "nohup: x",
    "command": "x",
    "running": False,
}
SAID = [
    ("text", SEEN, "a.sh of ApplicationStart printed: nohup: x"),
    ("text", {**SEEN, "text": ""}, "no hook of a deployment that succeeded says that a program did not start"),
    ("command", SEEN, "what did not start is x"),
    ("log", SEEN, "it stands in /l"),
    ("running", SEEN, "x does not run now"),
    ("running", {**SEEN, "running": True}, "x runs now"),
]


@pytest.mark.parametrize(("field", "seen", "said"), SAID)
def test_words(field: str, seen: dict[str, object], said: str) -> None:
    assert say("hooks.hidden", field, seen[field], seen) == said
