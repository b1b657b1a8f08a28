"""An agent that stands in for 2.x: its processes, its log, its files. What it logs is what really happens to it.

Run under the real program's name and command line, see install-2x.sh: ``codedeploy-agent start`` is the master, which
logs nowhere, ``codedeploy-agent worker`` its child. Certificates are checked by the host's own store, since the real
agent's built-in one does not know the authority of the test.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import mmap
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NoReturn

import client2
import deploy2
import yaml
from log2 import INSTANCE, LOG, Say, opened

HOME = Path("/opt/codedeploy-agent")
PROGRAM = HOME / "bin/codedeploy-agent"
CONFIGURATION = Path("/etc/codedeploy-agent/conf/codedeployagent.yml")
PID_FILE = HOME / "state/.pid/codedeploy-agent.pid"
VERSION = "2.1.0"
QUEUE = Path("/run/queue")
PAUSES = (5, 10, 20, 40, 60)  # seconds between the end of a worker that lived less than a minute and the next
ERROR_PAUSES = (10, 13, 17, 21, 27, 34, 44, 56, 71, 90)  # seconds after so many failed polls in a row
ARENA = 256 << 20  # bytes of address space that a worker reserves at its start
PR_SET_PDEATHSIG, PR_SET_DUMPABLE = 1, 4  # prctl(2)


def run(words: list[str]) -> int:
    """The command line; returns the exit code. What nobody caught is a panic, told on stderr."""
    commands = {"start": start, "worker": worker, "stop": stop, "status": status}
    try:
        return commands[words[0]]() if len(words) == 1 and words[0] in commands else 2
    except SystemExit as end:
        return int(end.code or 0)
    except Exception as error:  # noqa: BLE001 - whatever it is
        print(f"thread 'main' panicked: {error!r}", file=sys.stderr, flush=True)
        return 101


def start() -> int:
    """The master: keep one worker alive, and log nothing."""
    settings()
    _refuse_a_second()
    _prctl(PR_SET_DUMPABLE, 0)
    _write_version()
    PID_FILE.write_text(str(os.getpid()))
    workers: list[subprocess.Popen[bytes]] = []
    signal.signal(signal.SIGTERM, lambda *_: _end(workers))
    short = 0
    while True:
        begin = time.monotonic()
        workers[:] = [subprocess.Popen([str(PROGRAM), "worker"])]
        workers[0].wait()
        short = short + 1 if time.monotonic() - begin < 60 else 0
        time.sleep(PAUSES[min(max(short - 1, 0), len(PAUSES) - 1)])


def stop() -> int:
    """End the master that the pid file names."""
    pid = _living()
    if pid:
        os.kill(pid, signal.SIGTERM)
        while _living() == pid:
            time.sleep(0.05)
    return 0


def status() -> int:
    """The exit codes of the LSB."""
    running = bool(_living())
    print(f"The AWS CodeDeploy agent is {'' if running else 'not '}running.")
    return 0 if running else 3


def settings() -> dict[str, Any]:
    """The configuration. One that cannot be read ends the process, with words on stderr alone."""
    failed = f"Failed to load config: failed to parse config file {CONFIGURATION}"
    try:
        found = yaml.safe_load(CONFIGURATION.read_text()) or {}
    except FileNotFoundError:
        return {}
    except yaml.YAMLError as error:
        _refuse(f"{failed}: {str(error).splitlines()[0]}")
    known = {str(key).lstrip(":"): value for key, value in found.items()}
    pause = known.get("wait_between_runs", 30)
    if not isinstance(pause, int):
        _refuse(f'{failed}: wait_between_runs: invalid type: string "{pause}", expected u64')
    return known


def _refuse(words: str) -> NoReturn:
    print(words, file=sys.stderr, flush=True)
    sys.exit(1)


def _refuse_a_second() -> None:
    """Any living pid in the pid file means that the agent runs; a pid file that names none is an error."""
    try:
        pid = _living()
    except ValueError:
        _refuse("Failed to start agent: invalid PID: cannot parse integer from empty string")
    if pid:
        _refuse(f"Agent is already running (pid {pid})")


def _living() -> int:
    """The pid of the pid file, 0 if there is none or nobody lives under it. ValueError for text that is no pid."""
    try:
        pid = int(PID_FILE.read_text())
        os.kill(pid, 0)
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return pid


def _write_version() -> None:
    (HOME / ".version").unlink(missing_ok=True)
    (HOME / ".version").write_text(f"agent_version: {VERSION}\n")
    (HOME / ".version").chmod(0o444)


def _end(workers: list[subprocess.Popen[bytes]]) -> NoReturn:
    for process in workers:  # not by its own wait: the one that was interrupted holds its lock
        with contextlib.suppress(ProcessLookupError, ChildProcessError):
            os.kill(process.pid, signal.SIGTERM)
            os.waitpid(process.pid, 0)
    PID_FILE.unlink(missing_ok=True)
    os._exit(0)


def _prctl(option: int, value: int) -> None:
    ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)


def worker() -> int:
    """Learn who and where this is, check the endpoint, get credentials, then poll. What fails ends it, with exit 0."""
    _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    _prctl(PR_SET_DUMPABLE, 0)
    known, say, pid = settings(), opened(LOG), os.getpid()
    say("INFO", f"Worker {pid} starting")
    _reserve()
    with contextlib.suppress(client2.NotStarted):
        client = _client(known, say)
        say("INFO", f"Worker {pid} entering polling loop")
        pause = known.get("wait_between_runs", 30)
        loop = f"host_identifier={INSTANCE} poll_interval_ms={pause * 1000} max_concurrent=16"
        say("INFO", f"Starting host command poll loop {loop}")
        signal.signal(signal.SIGTERM, lambda *_: _shut_down(say))
        deploy2.fail_leftovers(say)
        _poll_for_ever(client, say, pause)
    return 0


def _reserve() -> None:
    """Address space for its threads and heap; without it the process ends as a Rust program does."""
    try:
        mmap.mmap(-1, ARENA).close()
    except OSError:
        print(f"memory allocation of {ARENA} bytes failed", file=sys.stderr, flush=True)
        os.abort()


def _client(known: dict[str, Any], say: Say) -> client2.Client:
    """What a worker does before its first poll, a line each. NotStarted when a step fails, which it has logged."""
    say("INFO", "On Premises config file does not exist or not readable")
    region = client2.region(say)
    client = client2.Client(
        known.get("deploy_control_endpoint") or f"https://codedeploy-commands.{region}.amazonaws.com",
        known.get("proxy_uri") or "",
    )
    client.check(say)
    for purpose in ("CodeDeploy", "processor"):
        client.key = client2.key(purpose, say)
        target = "signing_name=codedeploy-commands target_prefix=CodeDeployCommandService_v20141006"
        options = f"region={region} use_fips=false enable_auth_policy=false"
        say("INFO", f"CodeDeploy command client configured endpoint={client.url} {target} {options}")
    return client


def _poll_for_ever(client: client2.Client, say: Say, pause: int) -> NoReturn:
    """A good poll is not logged. After one that failed the next one waits the longer, the more failed before it."""
    errors = 0
    while True:
        begin, error = time.monotonic(), client.poll()
        if error:
            say("ERROR", f"Error polling for host commands: CodeDeploy command service error: {error}")
            errors += 1
            wait = ERROR_PAUSES[min(errors, len(ERROR_PAUSES)) - 1] - (time.monotonic() - begin)
        else:
            errors, wait = 0, float(pause)
            for order in sorted(QUEUE.glob("*.json")):
                deploy2.run(json.loads(order.read_text()), say)
                order.rename(order.with_suffix(".done"))
        time.sleep(max(wait, 0.0))


def _shut_down(say: Say) -> NoReturn:
    say("INFO", "Polling loop stopped — waiting for in-flight commands")
    say("INFO", "All command threads finished — shutdown complete")
    say("INFO", f"Worker {os.getpid()} shutting down")
    os._exit(0)
