"""A deployment by the agent that stands in: events, files and reports as 1.8.1 makes them.

An order is {deployment, group, bundle (a directory), events (optional)}.
"""

from __future__ import annotations

import base64
import grp
import json
import os
import pwd
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

ROOT = Path("/opt/codedeploy-agent/deployment-root")
INSTRUCTIONS = ROOT / "deployment-instructions"
ONGOING = ROOT / "ongoing-deployment"
EVENTS = "ApplicationStop DownloadBundle BeforeInstall Install AfterInstall ApplicationStart ValidateService".split()
POLLER = "InstanceAgent::Plugins::CodeDeployPlugin::CommandPoller"
FRAME = "/opt/codedeploy-agent/lib/instance_agent/plugins/codedeploy/installer.rb:122:in `generate_normal_copy'"
Say = Callable[[str, str], None]


class Failed(Exception):
    """An event failed: the agent's message, code and script, and what the hook printed."""

    def __init__(self, message: str, code: int = 5, script: str = "", log: str = "") -> None:
        super().__init__(message)
        self.message, self.code, self.script, self.log = message, code, script, log


def run(order: dict[str, Any], say: Say) -> None:
    """All events of a deployment up to the first that fails."""
    for event in order.get("events", EVENTS):
        ONGOING.mkdir(parents=True, exist_ok=True)
        mark = ONGOING / order["deployment"]
        mark.write_text(_identifier(order["deployment"], event))
        try:
            _event(event, order)
            _report(say, order["deployment"], event, None)
        except Failed as failure:
            _fail(say, order["deployment"], event, failure)
            return
        except OSError as error:
            _fail(say, order["deployment"], event, Failed(f"{error.strerror} @ rb_sysopen - {error.filename}"))
            return
        finally:
            mark.unlink(missing_ok=True)


def fail_leftovers(say: Say) -> None:
    """An event that was under way when the agent ended has failed."""
    for mark in ONGOING.glob("*") if ONGOING.is_dir() else ():
        say("INFO", "InstanceAgent::Plugins::CodeDeployPlugin::InFlightDeploymentTracker: Found in-progress deployment")
        identifier, message = mark.read_text(), "Failed: Failing in-progress lifecycle event after an agent restart."
        _line(say, "Failed", {"error_code": 7, "script_name": "", "message": message, "log": ""}, identifier)
        mark.unlink()


def _event(event: str, order: dict[str, Any]) -> None:
    here = ROOT / order["group"] / order["deployment"]
    if event == "ApplicationStop":
        pointer = INSTRUCTIONS / f"{order['group']}_last_successful_install"
        if pointer.exists():
            _hooks(event, Path(pointer.read_text()) / "deployment-archive", here)
    elif event == "DownloadBundle":
        here.mkdir(parents=True, exist_ok=True)
        shutil.copytree(order["bundle"], here / "deployment-archive", dirs_exist_ok=True)
    elif event == "Install":
        _install(order["group"], here)
    else:
        _hooks(event, here / "deployment-archive", here)


def _appspec(archive: Path) -> dict[str, Any]:
    path = archive / "appspec.yml"
    if not path.exists():
        raise Failed(
            "The CodeDeploy agent did not find an AppSpec file within the unpacked revision directory at"
            f' revision-relative path "appspec.yml". The revision was unpacked to directory "{archive}", and the'
            f' AppSpec file was expected but not found at path "{path}". Consult the AWS CodeDeploy Appspec'
            " documentation for more information at http://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file.html"
        )
    found: dict[str, Any] = yaml.safe_load(path.read_text())
    if found.get("version") != 0.0:
        raise Failed(
            f"The deployment failed because an invalid version value ({found.get('version')}) was entered in the"
            ' application specification file. Make sure your AppSpec file specifies "0.0" as the version, and then try'
            " again."
        )
    return found


def _hooks(event: str, archive: Path, here: Path) -> None:
    for hook in (_appspec(archive).get("hooks") or {}).get(event) or ():
        _hook(event, hook, archive, here)


def _hook(event: str, hook: dict[str, Any], archive: Path, here: Path) -> None:
    location, user = hook["location"], hook.get("runas", "")
    script, printed = archive / location, [f"LifecycleEvent - {event}"]
    if not script.exists():
        raise Failed(f"Script does not exist at specified location: {script}", 1, location, "\n".join(printed) + "\n")
    script.chmod(0o755)
    printed.append(f"Script - {location}")
    command = ["su", user, "-c", str(script)] if user else [str(script)]
    named = f"Script at specified location: {location}" + (f" run as user {user}" if user else "")
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=hook.get("timeout", 3600), check=False)
    except OSError as error:
        kind = "Errno::EACCES" if isinstance(error, PermissionError) else "Errno::ENOENT"
        message = f"{named} failed with error {kind} with message {error.strerror} - {script}"
        raise Failed(message, 4, location, "\n".join(printed) + "\n") from None
    except subprocess.TimeoutExpired:
        raise Failed(f"{named} failed to complete in {hook['timeout']} seconds", 3, location) from None
    printed += [f"[{name}]{line}" for name in ("stdout", "stderr") for line in getattr(done, name).splitlines()]
    _scripts_log(here, printed)
    if done.returncode:
        raise Failed(f"{named} failed with exit code {done.returncode}", 4, location, "\n".join(printed) + "\n")


def _scripts_log(here: Path, printed: list[str]) -> None:
    (here / "logs").mkdir(parents=True, exist_ok=True)
    stamp = time.strftime("%Y-%m-%d %H:%M:%S")
    with (here / "logs/scripts.log").open("a") as log:
        log.writelines(f"{stamp} {line}\n" for line in printed)


def _install(group: str, here: Path) -> None:
    """Remove what the last Install made, then copy; a file that is nobody's is an error."""
    appspec = _appspec(here / "deployment-archive")
    INSTRUCTIONS.mkdir(parents=True, exist_ok=True)
    cleanup, made = INSTRUCTIONS / f"{group}-cleanup", list[str]()
    for path in cleanup.read_text().split("\n") if cleanup.exists() else ():
        if Path(path).is_file():
            Path(path).unlink()
    for entry in appspec.get("files") or ():
        source, target = here / "deployment-archive" / entry["source"].lstrip("/"), Path(entry["destination"])
        if not source.exists():
            raise Failed(f"No such file or directory @ rb_sysopen - {source}")
        if (target / source.name).exists():
            place = target / source.name
            raise Failed(f"The deployment failed because a specified file already exists at this location: {place}")
        target.mkdir(parents=True, exist_ok=True)
        made.append(str(target / source.name))
        shutil.copy(source, target / source.name)
    instructions = [{"type": "copy", "source": "", "destination": path} for path in made]
    (INSTRUCTIONS / f"{group}-install.json").write_text(json.dumps({"instructions": instructions}))
    cleanup.write_text("\n".join(made) + "\n")
    for entry in appspec.get("permissions") or ():
        _owner(entry)
    (INSTRUCTIONS / f"{group}_last_successful_install").write_text(str(here))


def _owner(entry: dict[str, Any]) -> None:
    for name, find, kind in ((entry.get("owner"), pwd.getpwnam, "user"), (entry.get("group"), grp.getgrnam, "group")):
        try:
            if name:
                find(name)
        except KeyError:
            raise Failed(f"can't find {kind} for {name}") from None


def _identifier(deployment: str, event: str) -> str:
    return base64.b64encode(f"{deployment}/{event}".encode()).decode()


def _fail(say: Say, deployment: str, event: str, failure: Failed) -> None:
    _report(say, deployment, event, failure)
    error = "ScriptError" if failure.code < 5 else "RuntimeError"
    say("ERROR", f"{POLLER}: Error during perform: {error} - {failure.message} - {FRAME}")


def _report(say: Say, deployment: str, event: str, failure: Failed | None) -> None:
    said = {
        "error_code": failure.code if failure else 0,
        "script_name": failure.script if failure else "",
        "message": failure.message if failure else "Succeeded: ",
        "log": failure.log if failure else "",
    }
    _line(say, "Failed" if failure else "Succeeded", said, _identifier(deployment, event))


def _line(say: Say, status: str, said: dict[str, Any], identifier: str) -> None:
    payload = json.dumps(json.dumps(said, separators=(",", ":")))
    diagnostics = f'{{format:"JSON",payload:{payload}}}'
    arguments = f'command_status:"{status}",diagnostics:{diagnostics},host_command_identifier:"{identifier}"'
    say("INFO", f"[Aws::CodeDeployCommand::Client 200 0.014 0 retries] put_host_command_complete({arguments})  \n")


assert os.geteuid() == 0, "the agent runs as root"
