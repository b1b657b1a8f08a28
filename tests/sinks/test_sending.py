"""The service's side: whatever the child does, no call waits, nothing in flight is forgotten, nobody is left behind."""

from __future__ import annotations

import os
import select
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from agentdoctor.sinks.sending import Reply, Sender
from conftest import TOP
from sinks import TOPIC
from sinks.conftest import CREDENTIALS, wait

# Children that are none of ours. Each reads lines; what it then does is in its name.
ECHO = """import sys, json
for line in sys.stdin: print(json.dumps({'key': json.loads(line)['key'], 'message_id': 'm'}), flush=True)"""
DIES = "import sys; sys.stdin.readline(); sys.exit(3)"
HANGS = "import sys, signal; sys.stdin.readline(); signal.pause()"
CLOSES = "import os, signal; os.close(1); signal.pause()"
DEAF = "import signal; signal.pause()"
FLOOD = "import sys; sys.stdin.readline()\nwhile True: sys.stdout.write('x' * 65536)"


def says(text: str) -> str:
    """A child that answers its first line so, and then stays."""
    return f"import sys, signal; sys.stdin.readline(); print({text!r}, flush=True); signal.pause()"


class Clock:
    """Time that passes when told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """A clock that stands still."""
    return Clock()


@pytest.fixture
def sending(clock: Clock) -> Iterator[Callable[[str], Sender]]:
    """A sender with another child; all are closed at the end."""
    made: list[Sender] = []

    def make(code: str) -> Sender:
        made.append(Sender((sys.executable, "-S", "-E", "-c", code), clock=clock))
        return made[-1]

    yield make
    for sender in made:
        sender.close(0.0)


def gone(pid: int) -> bool:
    """Whether there is no such process, not even a zombie."""
    return not psutil.pid_exists(pid)


def reaped(sender: Sender, pid: int) -> None:
    """The child ends, and the loop takes leave of it."""
    assert sender.answers() == []
    if not gone(pid):
        ended = os.pidfd_open(pid)
        poll = select.poll()
        poll.register(ended, select.POLLIN)
        assert poll.poll(60_000), "it is still there"
        os.close(ended)
    sender.answers()
    assert gone(pid)


def test_answers_in_order(sending: Callable[[str], Sender]) -> None:
    """Each once, by their keys; there is something to wait for as long as there is a child."""
    sender = sending(ECHO)
    assert (sender.fileno(), sender.busy) == (-1, False)

    for n in range(50):
        sender.submit({"key": f"k{n}"})

    assert sender.fileno() >= 0
    assert sender.busy
    assert wait(sender, 50) == [Reply(f"k{n}", "m") for n in range(50)]
    assert not sender.busy


BROKEN = {
    "dies": (DIES, "the sender ended"),
    "closes its output": (CLOSES, "the sender ended"),
    "floods": (FLOOD, "the sender answered nonsense"),
    "no JSON": (says("Traceback (most recent call last):"), "the sender answered nonsense"),
    "no object": (says("[1]"), "the sender answered nonsense"),
    "of another letter": (says('{"key": "k9", "message_id": "m"}'), "the sender answered nonsense"),
    "no receipt": (says('{"key": "k0"}'), "the sender answered nonsense"),
    "an empty receipt": (says('{"key": "k0", "message_id": ""}'), "the sender answered nonsense"),
    "a receipt that is no text": (says('{"key": "k0", "message_id": 7}'), "the sender answered nonsense"),
    "a kind that is none": (says('{"key": "k0", "error": "X", "kind": "done"}'), "the sender answered nonsense"),
    "deep": (says("[" * 100_000), "the sender answered nonsense"),
}


@pytest.mark.parametrize(("code", "why"), BROKEN.values(), ids=BROKEN)
def test_a_broken_child_loses_nothing(sending: Callable[[str], Sender], code: str, why: str) -> None:
    """Both letters are to be sent again, in order, and the child is gone."""
    sender = sending(code)
    sender.submit({"key": "k0"})
    sender.submit({"key": "k1"})
    pid = sender.pid
    assert pid

    assert wait(sender, 2) == [Reply(key, error="SenderLost", kind="retry", text=why) for key in ("k0", "k1")]
    assert sender.fileno() == -1
    reaped(sender, pid)


def test_killed_from_outside(sending: Callable[[str], Sender]) -> None:
    """As by the kernel, when memory is short. The next letter has a child again."""
    sender = sending(HANGS)
    sender.submit({"key": "k0"})
    assert sender.pid
    os.kill(sender.pid, 9)

    assert [answer.kind for answer in wait(sender)] == ["retry"]
    sender.submit({"key": "k1"})
    assert sender.pid


def test_r16_a_child_that_hangs_is_given_up(sending: Callable[[str], Sender], clock: Clock) -> None:
    """After 30 s of its own letter; time that others took before does not count."""
    sender = sending(HANGS)
    sender.submit({"key": "k0"})
    pid = sender.pid
    clock.now += 29.0
    assert sender.answers() == []
    clock.now += 2.0

    (answer,) = sender.answers()
    assert (answer.kind, answer.text) == ("retry", "no answer within 30 s")
    assert pid
    reaped(sender, pid)


def test_each_letter_has_its_own_time(sending: Callable[[str], Sender], clock: Clock) -> None:
    """The second is given up 30 s after the first was answered, not after it was submitted."""
    sender = sending(says('{"key": "k0", "message_id": "m"}'))
    sender.submit({"key": "k0"})
    sender.submit({"key": "k1"})
    clock.now += 29.0
    assert [answer.key for answer in wait(sender)] == ["k0"]
    clock.now += 29.0
    assert sender.answers() == []
    clock.now += 2.0

    assert [(answer.key, answer.kind) for answer in sender.answers()] == [("k1", "retry")]


def test_ctrl_c_is_not_for_the_child(sending: Callable[[str], Sender]) -> None:
    """In the foreground a signal from the terminal goes to us; the child may end its letter."""
    sender = sending(ECHO)
    sender.submit({"key": "k0"})

    assert sender.pid
    assert os.getsid(sender.pid) != os.getsid(0)


def test_a_child_that_does_not_read_blocks_nobody(sending: Callable[[str], Sender], clock: Clock) -> None:
    """More than any pipe holds is taken at once, and handed back when the time is over."""
    sender = sending(DEAF)
    for n in range(20):
        sender.submit({"key": f"k{n}", "params": "x" * 250_000})
    assert sender.answers() == []

    clock.now += 31.0

    assert [answer.key for answer in sender.answers()] == [f"k{n}" for n in range(20)]


def test_more_than_a_pipe_holds_arrives(sending: Callable[[str], Sender]) -> None:
    """Bit by bit, as the child reads."""
    sender = sending(ECHO)
    for n in range(20):
        sender.submit({"key": f"k{n}", "params": "x" * 250_000})

    assert len(wait(sender, 20)) == 20


def test_idle_child_ends_by_itself(sending: Callable[[str], Sender], clock: Clock) -> None:
    """After a minute without letters; its memory is free, no zombie stays, and the next letter has a new one."""
    sender = sending(ECHO)
    sender.submit({"key": "k0"})
    wait(sender)
    first = sender.pid
    clock.now += 59.0
    sender.answers()
    assert sender.pid == first
    clock.now += 2.0
    sender.answers()

    assert sender.fileno() == -1
    assert first
    reaped(sender, first)
    sender.submit({"key": "k1"})
    assert wait(sender) == [Reply("k1", "m")]


def test_a_child_that_does_not_end_is_killed(sending: Callable[[str], Sender], clock: Clock) -> None:
    """It is asked to, and has 5 s."""
    sender = sending(says('{"key": "k0", "message_id": "m"}'))
    sender.submit({"key": "k0"})
    wait(sender)
    pid = sender.pid
    clock.now += 61.0
    sender.answers()
    assert pid
    assert not gone(pid)

    clock.now += 6.0

    reaped(sender, pid)


def test_close_takes_the_last_receipts(sending: Callable[[str], Sender]) -> None:
    """What is answered is sent; what is not is to be sent again; and no process is left."""
    sender = sending(says('{"key": "k0", "message_id": "m"}'))
    sender.submit({"key": "k0"})
    first = wait(sender)
    sender.submit({"key": "k1"})
    pid = sender.pid

    assert first == [Reply("k0", "m")]
    assert [(answer.key, answer.kind) for answer in sender.close(0.0)] == [("k1", "retry")]
    assert pid
    assert gone(pid)


def test_no_program(clock: Clock) -> None:
    """Nothing to start is an answer too."""
    sender = Sender(("/nonexistent/python",), clock=clock)
    sender.submit({"key": "k0"})

    assert [(answer.error, answer.kind) for answer in sender.answers()] == [("SenderNotStarted", "retry")]


def test_the_child_ends_with_its_input() -> None:
    """A service that is killed leaves no child; bad and overlong lines before that are answered and passed over."""
    lines = b"\xff\n{}\n[]\n\n" + b"x" * (5 << 20) + b'\n{"key": "k", "ask": "nothing"}\nno end'
    done = subprocess.run(
        [sys.executable, "-m", "agentdoctor.sinks.sns"],
        input=lines,
        capture_output=True,
        check=True,
        timeout=60,
        cwd=TOP,
    )

    assert done.stdout.count(b"\n") == 6
    assert done.stdout.count(b'"kind": "poison"') == 6
    assert done.stderr == b""


def test_only_answers_are_on_the_output() -> None:
    """What a library prints goes to standard error."""
    noisy = "from agentdoctor.sinks import sns; sns.answered = lambda *_: print('noise', flush=True) or {}; sns.main()"
    done = subprocess.run([sys.executable, "-c", noisy], input=b"{}\n", capture_output=True, check=True, cwd=TOP)

    assert (done.stdout, done.stderr) == (b"{}\n", b"noise\n")


def test_the_child_loads_no_module_from_where_we_stand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root may stand in a folder that anybody writes to."""
    (tmp_path / "boto3.py").write_text(f"open({str(tmp_path / 'taken')!r}, 'w')")
    monkeypatch.chdir(tmp_path)
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    sender = Sender()
    sender.submit({"key": "k0", "topic_arn": TOPIC, "endpoint_url": "http://127.0.0.1:1", "params": {"Message": "m"}})

    assert [answer.error for answer in wait(sender)] == ["Network"]
    assert not (tmp_path / "taken").exists()
    sender.close(0.0)


def test_the_service_stays_small() -> None:
    """To hold a sender loads nothing of AWS, no TLS and no process library; only the child does."""
    code = "import sys; from agentdoctor.sinks import journal, message, sending; sending.Sender();"
    heavy = "boto3 botocore requests ssl subprocess urllib3 http.client"
    done = subprocess.run(
        [sys.executable, "-c", f"{code} print([x for x in '{heavy}'.split() if x in sys.modules])"],
        capture_output=True, text=True, check=True, cwd=TOP,
    )  # fmt: skip

    assert done.stdout == "[]\n"
