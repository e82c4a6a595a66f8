"""The report of a catalogue: what became of the files of its source, and of the files of metadata that came later.

data/collections/<id>/report.json                     of the source; made with the collection (`build_report`)
data/collections/metadata-report-<fingerprint>.json   of what `import_metadata` has read, a file after the other
"""

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

from datasets.collection import report
from datasets.errors import NotFound
from embeddings.vector_files import replacing

from . import installed_catalogue
from .collection import CatalogueCollection

_IMPORTS = 100
"""Files of metadata, the last ones, that are told of."""


def note_metadata(found: CatalogueCollection, summary: Mapping[str, Any]) -> None:
    """Keep how a file of metadata was matched, in place of what was known of one of its name."""
    kept = [each for each in _metadata(found) if each["file"] != summary["file"]]
    with replacing(found.metadata_report_path) as file:
        file.write(json.dumps([*kept, summary][-_IMPORTS:], ensure_ascii=False).encode())


def version(found: CatalogueCollection) -> str:
    """Another one whenever the report is another. Raises `NotFound` where there is none."""
    try:
        made = found.folder.report_path.stat().st_mtime_ns
    except FileNotFoundError:
        raise _missing(found) from None
    try:
        return f"{made:x}-{found.metadata_report_path.stat().st_mtime_ns:x}"
    except FileNotFoundError:
        return f"{made:x}"


def read(found: CatalogueCollection) -> dict[str, Any]:
    """That of the source, with the files of metadata that have been read since. Raises `NotFound`."""
    try:
        stored = json.loads(found.folder.report_path.read_bytes())
    except FileNotFoundError:
        raise _missing(found) from None
    described = _metadata(found)
    unlisted = Counter(stored["counts"]) - Counter(file["outcome"] for file in stored["files"])
    files = [*stored["files"], *map(report.of_metadata, described)]
    summary = described[-1] if described else None
    whole = report.summed(files, unlisted, stored["remarks"], summary, rows=stored["rows"])
    return whole | {"metadata_files": described}


def _metadata(found: CatalogueCollection) -> list[dict[str, Any]]:
    try:
        read: list[dict[str, Any]] = json.loads(found.metadata_report_path.read_bytes())
    except (FileNotFoundError, ValueError):
        return []
    return read


def _missing(found: CatalogueCollection) -> NotFound:
    if not installed_catalogue.is_built(found.folder):
        sentence = "This catalogue was not built here: what became of the files of its source is not known."
    else:
        sentence = (
            "This catalogue was built before reports were made: build it anew, or run `manage.py fit_reducers --again` "
            "while it is the installed one."
        )
    return NotFound(sentence, code="report-missing")
