"""Which tier a test belongs to, and which tests run in one process when several processes share them.

- `unit`: neither a database nor a client; `api`: the calls, commands and tasks within the test's process;
- `service`: the real service, started as `make run` starts it; `browser`: the page in a real browser;
- `scale`: the service with what more than one machine needs, `make test-scale`.

A marker is set by hand only where the fixtures do not tell. `slow` always is: it keeps a `unit` or `api` test out of
`make test-fast`.
"""

import faulthandler
from typing import TYPE_CHECKING, Any

import pytest
from _pytest.faulthandler import fault_handler_stderr_fd_key

if TYPE_CHECKING:
    from xdist.scheduler import LoadScopeScheduling

TIERS = ("unit", "api", "service", "browser", "scale")
_SERVICES = {"service", "big"}
_DATABASE = {"db", "transactional_db", "client", "admin_client"}
_TIMED = {"service", "browser", "scale"}
"""Tiers whose processes and browsers share two cores with other tests: one that fails is tried once more, and listed
as rerun."""
_ONE_AT_A_TIME = {"test_decoder_pool.py", "test_slow_clients.py"}
"""Modules that take most of the machine's memory or sockets, or measure time under load."""
_GRACE_SECONDS = 100
"""After its time a test that cannot be interrupted still has so long; then its process ends."""
running: str | None = None
"""The tier of the test that runs now."""


def tier(item: pytest.Item) -> str:
    """What is said by hand, or else what the fixtures and the test's own lines tell."""
    for name in reversed(TIERS):
        if item.get_closest_marker(name):
            return name
    fixtures = set(getattr(item, "fixturenames", ()))
    if "browser" in fixtures:
        return "browser"
    if fixtures & _SERVICES or "Service" in _names(item):
        return "service"
    if fixtures & _DATABASE or item.get_closest_marker("django_db"):
        return "api"
    return "unit"


def group(nodeid: str) -> str:
    """Tests of equal groups run in one process: those of a module, which share what it sets up."""
    module = nodeid.split("::")[0]
    return "one at a time" if module.rsplit("/", 1)[-1] in _ONE_AT_A_TIME else module


def _names(item: pytest.Item) -> tuple[str, ...]:
    function = getattr(item, "function", None)
    return () if function is None else function.__code__.co_names


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        item.add_marker(tier(item))
        if tier(item) in _TIMED:
            item.add_marker(pytest.mark.flaky(reruns=1))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    """Begin with the modules that take longest, or one process would end with them while the others have nothing to do.

    The order within a module stays random.
    """
    longest = {group(item.nodeid) for item in session.items if tier(item) in _TIMED}
    session.items.sort(key=lambda item: group(item.nodeid) not in longest)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    global running
    running = tier(item)
    if (marked := item.get_closest_marker("timeout")) is not None:
        # `faulthandler_timeout` is of all tests, and would end the process of one that may take longer.
        file = item.config.stash.get(fault_handler_stderr_fd_key, 2)
        faulthandler.dump_traceback_later(marked.args[0] + _GRACE_SECONDS, exit=True, file=file)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> "LoadScopeScheduling":
    from xdist.scheduler import LoadScopeScheduling

    class ByGroup(LoadScopeScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            return group(nodeid)

    config.option.loadscopereorder = False  # in the order of `pytest_collection_finish`
    return ByGroup(config, log)
