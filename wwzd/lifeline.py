"""Processes that end with the one that started them, however that ends."""

import os
import signal
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
