"""A deployment by the agent that stands in for 2.x: commands, files and logs as 2.1.0 makes them.

The agent log is in UTC, the deployment log and scripts.log are in local time. An order is as in deploy.py.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import yaml
from log2 import Say, within

ROOT = Path("/opt/codedeploy-agent/deployment-root")
INSTRUCTIONS = ROOT / "deployment-instructions"
ONGOING = ROOT / "ongoing-deployment"
DEPLOYMENTS_LOG = ROOT / "deployment-logs/codedeploy-agent-deployments.log"
EVENTS = "ApplicationStop DownloadBundle BeforeInstall Install AfterInstall ApplicationStart ValidateService".split()
EXECUTION = "arn:aws:codedeploy:eu-west-1:123456789012:execution"
COMMAND = "ZXhhbXBsZQ=="  # the identifier of a command; its text means nothing to the agent
DOCS = "http://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file.html"


class Failed(Exception):
    """A command failed, in the agent's words."""


def run(order: dict[str, Any], say: Say) -> None:
    """All commands of a deployment up to the first that fails."""
    for event in order.get("events", EVENTS):
        execution = f"deployment_execution_id={EXECUTION}/{order['deployment']} host_command_id={COMMAND}"
        say("INFO", f"Processing host command command_name={event} {execution}")
        error = _command(event, order, say)
        if error:
            say("ERROR", f"Command processing failed: {error}")
            return


def fail_leftovers(say: Say) -> None:
    """A command that was under way when the agent ended has failed."""
    for mark in ONGOING.glob("*") if ONGOING.is_dir() else ():
        say(
            "WARN",
            f"Deployment tracking file found for {mark.name}. The agent likely restarted while running a"
            " customer-supplied script. Failing the lifecycle event.",
        )
        say("INFO", f"Calling PutHostCommandComplete: 'Failed' {mark.read_text()}")
        mark.unlink()


def _command(event: str, order: dict[str, Any], say: Say) -> str:
    """One command: "" or its error. Before it is tracked it has no span."""
    mark = ONGOING / order["deployment"]
    try:
        ONGOING.mkdir(parents=True, exist_ok=True)
        mark.write_text(COMMAND)
    except OSError as error:
        return f"Failed to start deployment tracking: IO error: {_io(error)}"
    say_of = within(say, f"deployment{{deployment_id={order['deployment']} command={event} app=my-app}}")
    begin = time.monotonic()
    try:
        say_of("INFO", "Deployment spec parsed deployment_group=web-prod")
        say_of("INFO", "Executing command")
        _event(event, order, say_of)
        say_of("INFO", f"Command succeeded elapsed_ms={_since(begin)}")
        return ""
    except Failed as failure:
        say_of("ERROR", f"Command failed elapsed_ms={_since(begin)} error={failure}")
        return str(failure)
    finally:
        mark.unlink(missing_ok=True)


def _event(event: str, order: dict[str, Any], say: Say) -> None:
    here = ROOT / order["group"] / order["deployment"]
    if event == "DownloadBundle":
        _download(order, here, say)
    elif event == "Install":
        _install(order, here, say)
    elif event == "ApplicationStop":
        pointer = INSTRUCTIONS / f"{order['group']}_last_successful_install"
        if pointer.exists():
            _hooks(event, Path(pointer.read_text()) / "deployment-archive", here, say)
    else:
        _hooks(event, here / "deployment-archive", here, say)


def _download(order: dict[str, Any], here: Path, say: Say) -> None:
    """The bundle must hold the AppSpec under its exact name, which 1.x asks of the hooks alone."""
    source, archive = "from bucket 'my-bucket' and key 'app.zip'", here / "deployment-archive"
    say("INFO", f"Downloading artifact bundle {source}, version 'none'")
    try:
        _unpack(Path(order["bundle"]), archive)
    except OSError as error:
        raise Failed(_io(error)) from None
    say("INFO", f"Download complete {source}")
    say("INFO", f"Bundle downloaded revision_source=S3 deployment_id={order['deployment']}")
    if not (archive / "appspec.yml").exists():
        raise Failed(
            f"The deployment failed because the specified file does not exist at the expected location:"
            f" {archive}/appspec.yml. Verify that your AppSpec file is named correctly and that it is in the root"
            " directory of the revision's source code."
        )
    say("INFO", f'DownloadBundle completed command_name="DownloadBundle" deployment_id={order["deployment"]}')


def _unpack(bundle: Path, archive: Path) -> None:
    """Copy all files; shutil.copytree would go on after the first that fails, and lose its number."""
    archive.mkdir(parents=True, exist_ok=True)
    for path in (path for path in bundle.rglob("*") if path.is_file()):
        target = archive / path.relative_to(bundle)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)


def _appspec(archive: Path, where: str) -> dict[str, Any]:
    """The AppSpec; ``where`` stands before what is said of a wrong one."""
    found = next((path for name in ("yml", "yaml") if (path := archive / f"appspec.{name}").exists()), None)
    if not found:
        raise Failed(
            f"{where}: The CodeDeploy agent did not find an AppSpec file within the unpacked revision directory at"
            f' revision-relative path "appspec.yml". The revision was unpacked to directory "{archive}", and the'
            f' AppSpec file was expected but not found at path "{archive}/appspec.yml". Consult the AWS CodeDeploy'
            f" Appspec documentation for more information at {DOCS}"
        )
    read: dict[str, Any] = yaml.safe_load(found.read_text())
    if read.get("version") != 0.0:
        raise Failed(
            f"{where}: The deployment failed because an invalid version value ({read.get('version')}) was entered in"
            ' the application specification file. Make sure your AppSpec file specifies "0.0" as the version, and then'
            " try again."
        )
    return read


def _hooks(event: str, archive: Path, here: Path, say: Say) -> None:
    """The scripts of an event. Those of a revision whose archive is gone are passed over without a word."""
    say("INFO", f'Executing hook command command_name="{event}" events=["{event}"] deployment_id={here.name}')
    hooks = (_appspec(archive, "").get("hooks") or {}).get(event) or () if archive.is_dir() else ()
    if hooks:
        say("INFO", f"Executing lifecycle event event={event} script_count={len(hooks)}")
    for hook in hooks:
        _tell_deployment(f"LifecycleEvent - {event}")
        try:
            _hook(event, hook, archive, here, say)
        except Failed as failure:
            _tell_deployment(f"{event}/{event} failed: {failure}")
            raise Failed(f"{hook['location']}: {failure}") from None


def _hook(event: str, hook: dict[str, Any], archive: Path, here: Path, say: Say) -> None:
    location = hook["location"]
    script, named = archive / location, f"Script at specified location: {location}"
    if not script.exists():
        raise Failed(f"Script does not exist at specified location: {script}")
    script.chmod(0o755)
    say(
        "INFO", f'Lifecycle script user context switch source_user=root target_user="(self)" sudo=false script={script}'
    )
    try:
        done = subprocess.run([script], capture_output=True, text=True, timeout=hook.get("timeout", 3600), check=False)
    except subprocess.TimeoutExpired:
        raise Failed(f"{named} failed to complete in {hook['timeout']} seconds") from None
    except OSError as error:
        raise Failed(f"{named} failed with error {_io(error)}") from None
    printed = [f"[{name}]{line}" for name in ("stdout", "stderr") for line in getattr(done, name).splitlines()]
    _tell_scripts(here, [f"LifecycleEvent - {event}", f"Script - {location}", *printed])
    if done.returncode:
        raise Failed(f"{named} failed with exit code {done.returncode if done.returncode > 0 else 1}")


def _install(order: dict[str, Any], here: Path, say: Say) -> None:
    """Remove what the last Install made, then copy; a file that is nobody's is an error. I/O errors name no path."""
    group, archive = order["group"], here / "deployment-archive"
    appspec = _appspec(archive, f"Failed to parse appspec at {archive}/appspec.yml")
    try:
        count = _copy_all(appspec, archive, group)
        (INSTRUCTIONS / f"{group}_last_successful_install").write_text(str(here))
    except Failed as failure:
        raise Failed(f"Install failed for group {group}: {failure}") from None
    except OSError as error:
        raise Failed(f"Install failed for group {group}: IO error: {_io(error)}") from None
    say("INFO", f'Installation completed deployment_group_id="{group}" command_count={count}')
    say("INFO", f"Install completed deployment_id={here.name} deployment_group={group} file_exists_behavior=DISALLOW")
    say("INFO", f'Install completed command_name="Install" deployment_id={here.name}')


def _copy_all(appspec: dict[str, Any], archive: Path, group: str) -> int:
    INSTRUCTIONS.mkdir(parents=True, exist_ok=True)
    cleanup = INSTRUCTIONS / f"{group}-cleanup"
    for path in cleanup.read_text().splitlines() if cleanup.exists() else ():
        Path(path).unlink(missing_ok=True)
    entries = appspec.get("files") or ()
    made = [_copy(archive / entry["source"].lstrip("/"), Path(entry["destination"])) for entry in entries]
    steps = [{"type": "copy", "source": "", "destination": path} for path in made]
    (INSTRUCTIONS / f"{group}-install.json").write_text(json.dumps({"instructions": steps}))
    cleanup.write_text("".join(f"{path}\n" for path in made))
    return len(made)


def _copy(source: Path, target: Path) -> str:
    place = target / source.name
    if place.exists():
        raise Failed(f"The deployment failed because a specified file already exists at this location: {place}")
    target.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, place)
    return str(place)


def _tell_scripts(here: Path, lines: list[str]) -> None:
    (here / "logs").mkdir(parents=True, exist_ok=True)
    stamp = time.strftime("%Y-%m-%d %H:%M:%S")
    with (here / "logs/scripts.log").open("a") as log:
        log.writelines(f"{stamp} {line}\n" for line in lines)


def _tell_deployment(text: str) -> None:
    DEPLOYMENTS_LOG.parent.mkdir(parents=True, exist_ok=True)
    now = time.time()
    stamp = f"{time.strftime('%Y-%m-%d %H:%M:%S', time.localtime(now))}.{int(now * 1000) % 1000:03}"
    with DEPLOYMENTS_LOG.open("a") as log:
        log.write(f"[{stamp}] {text}\n")


def _since(begin: float) -> int:
    return int((time.monotonic() - begin) * 1000)


def _io(error: OSError) -> str:
    """An I/O error as Rust prints it, without the path."""
    return f"{error.strerror} (os error {error.errno})"
