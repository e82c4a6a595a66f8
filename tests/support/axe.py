"""axe-core, which looks for what shuts people out of a page."""

import pytest

from tests.support.chromium import Visit
from tests.support.paths import ROOT

_SCRIPT = ROOT / "viewer" / "node_modules" / "axe-core" / "axe.min.js"


def audit(visit: Visit, options: str = "{}") -> None:
    """Have it look at the page as it is, and at its frames; skip the test where it is not installed."""
    if not _SCRIPT.exists():
        pytest.skip("axe-core is not installed: npm ci")
    session = visit.context.new_cdp_session(visit.page)
    session.send("Page.enable")
    contexts: list[int] = []
    session.on("Runtime.executionContextCreated", lambda event: contexts.append(event["context"]["id"]))
    session.send("Runtime.enable")
    for context in contexts:
        session.send("Runtime.evaluate", {"expression": _SCRIPT.read_text(), "contextId": context})
    found = visit.page.evaluate(f"axe.run({options}).then(({{ violations }}) => violations)")
    violations = [
        (each["id"], [(node["html"][:120], node["failureSummary"]) for node in each["nodes"]]) for each in found
    ]
    assert violations == []
