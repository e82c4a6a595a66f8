"""The page in a real browser, on one real service."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.colours import install
from tests.support.chromium import Visit, chromium
from tests.support.clustered_pictures import FILES, TABLE
from tests.support.pictures import photograph, zipped
from tests.support.service import Service


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Of a module, no longer: while it is there, Django takes the thread for one that must not use its database."""
    if not Path("/proc/self/task").exists():
        pytest.skip("reads the process tree from /proc")
    with chromium() as running:
        yield running


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    data = tmp_path_factory.mktemp("viewer") / "data"
    install(data)
    running = Service(data)
    yield running.start(warm=False)
    running.stop()


@pytest.fixture
def visit(browser: Browser, service: Service, request: pytest.FixtureRequest) -> Iterator[Visit]:
    made = Visit(browser, service.url(""), **({"color_scheme": "dark"} | getattr(request, "param", {})))
    yield made
    made.close()


@pytest.fixture(scope="session")
def upload(service: Service) -> str:
    """The id of a dataset whose pictures have names, features and metadata."""
    files = {f"{'cat' if index % 2 else 'dog'}-{index:02d}.jpg": photograph(index) for index in range(24)}
    lines = [f"{name},{name[:3]},{index}" for index, name in enumerate(sorted(files))]
    table = "\n".join(["file,kind,age", *lines]).encode()
    answer = service.upload(zipped(files | {"metadata.csv": table}), "cats and dogs.zip")
    assert answer.status == 200, answer.body
    return answer.body.decode()


@pytest.fixture(scope="session")
def kinds(service: Service) -> str:
    """The id of a dataset of three photographs in many lights, whose kinds its metadata tell."""
    answer = service.upload(zipped(FILES | {"metadata.csv": TABLE.encode()}), "kinds.zip")
    assert answer.status == 200, answer.body
    return answer.body.decode()
