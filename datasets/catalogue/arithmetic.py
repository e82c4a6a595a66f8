"""What a build's features were computed with, beside the network: equal for all of them, or they are refused.

Kept as data/build/computed.json, and in the collection that the build becomes.
"""

import json
from collections.abc import Mapping

from embeddings.vector_files import replacing

from .build_directory import BuildDirectory, BuildError


def note(
    work: BuildDirectory, found: Mapping[str, str], *, where: str = "This machine", allow_mixed: bool = False
) -> None:
    """Keep it with the build. Raises `BuildError` where the build has another one already, unless that is allowed."""
    path = work.path / "computed.json"
    known: list[dict[str, str]] = json.loads(path.read_text()) if path.exists() else []
    if found in known:
        return
    if known and not allow_mixed:
        differing = [name for name in {**known[0], **found} if known[0].get(name) != found.get(name)]
        changes = "; ".join(f"{name} {found.get(name)} in place of {known[0].get(name)}" for name in differing)
        raise BuildError(
            f"{where} computes in another way than what this build has already: {changes}. Features would differ in "
            "their last bits. Use machines of one kind with the same packages, or begin anew with --restart, or accept "
            "the difference with --allow-mixed."
        )
    with replacing(path) as file:
        file.write(json.dumps([*known, dict(found)], indent=1).encode())
