"""The environment that the agent's master was started with. It may hold secrets, so it stays within the probes."""

from __future__ import annotations

from collections.abc import Mapping

from agentdoctor.probes import CannotLook, Look


def of_master(look: Look) -> Mapping[str, str]:
    """All variables of the master. CannotLook where it does not run, is not ours to read, or has written over them."""
    import psutil

    if not look.host.live:
        raise CannotLook("a copied tree has no processes", skip=True)
    pid = look.value("process.agent")["master_pid"]
    if not pid:
        raise CannotLook("the agent is not running", skip=True)
    try:
        found = psutil.Process(pid).environ()
    except psutil.AccessDenied:
        raise CannotLook("only root may read the agent's environment") from None
    except psutil.NoSuchProcess:
        raise CannotLook("the agent ended while it was looked at") from None
    if not found:  # a process title longer than the arguments it replaces is written over the environment
        raise CannotLook("the agent's process title hides its environment")
    return found
