"""Processes that end with the one that started them, however that ends."""

import ctypes
import os
import signal
import sys
import threading
import time

SUPERVISOR_VARIABLE = "WWZD_SUPERVISOR"


def die_with_supervisor() -> None:
    """Kill this process when the supervisor named in the environment, if one is, is no longer its parent.

    A supervisor killed with SIGKILL tells nobody; without this its children would keep the port and the work.
    """
    supervisor = os.environ.get(SUPERVISOR_VARIABLE)
    if supervisor is not None:
        die_with_parent(int(supervisor))


def die_with_parent(parent: int) -> None:
    """Kill this process when `parent` is no longer its parent."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.2)
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=watch, name="lifeline", daemon=True).start()


def replace_and_die_with_supervisor(command: list[str]) -> None:
    """Become a program that knows nothing of supervisors. Linux ends it by SIGTERM with the process that started it."""
    if sys.platform == "linux":
        set_death_signal = 1  # PR_SET_PDEATHSIG, which holds across exec
        ctypes.CDLL(None, use_errno=True).prctl(set_death_signal, signal.SIGTERM, 0, 0, 0)
    supervisor = os.environ.get(SUPERVISOR_VARIABLE)
    if supervisor is not None and os.getppid() != int(supervisor):
        sys.exit("the supervisor is gone")
    os.execv(command[0], command)  # noqa: S606  there is no shell to start it with


if __name__ == "__main__":
    replace_and_die_with_supervisor(sys.argv[1:])
