"""Processes that end with the one that started them, however that ends."""

import os
import signal
import threading
import time

SUPERVISOR_VARIABLE = "WWZD_SUPERVISOR"


def die_with_supervisor() -> None:
    """Kill this process when the supervisor named in the environment is no longer its parent.

    A supervisor killed with SIGKILL tells nobody; without this its children would keep the port and the work.
    """
    supervisor = os.environ.get(SUPERVISOR_VARIABLE)
    if supervisor is None:
        return

    def watch() -> None:
        while os.getppid() == int(supervisor):
            time.sleep(0.2)
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=watch, name="lifeline", daemon=True).start()
