"""The catalogue's folder as it was before `images.parquet` → as it is now. Done once, at a start.

data/catalogue/{names,000.json …}      → data/catalogue/images.parquet
data/vectors/metadata-….npz            → data/vectors/metadata-….parquet
"""

from pathlib import Path

from datasets.collection import image_table
from datasets.collection.stored_arrays import columns_of

from .builder import BuildDirectory
from .installation import read_manifest


def is_needed(data: Path) -> bool:
    """Whether anything of the installed catalogue is of the old form."""
    work = BuildDirectory(folder=data / "catalogue")
    built = (work.folder / "source.json").exists() and not work.table_path.exists()
    return built or any((data / "vectors").glob("metadata-*.npz"))


def convert(data: Path) -> None:
    """Raises `BadVectors` where the catalogue is damaged. One that was killed is simply run again."""
    work = BuildDirectory(folder=data / "catalogue")
    if (work.folder / "source.json").exists() and not work.table_path.exists():
        work.write_table(work.ranges())
        (work.folder / "names").unlink(missing_ok=True)
    total = read_manifest(data).get("total", 0)
    for path in (data / "vectors").glob("metadata-*.npz"):
        if columns := columns_of(path, total):
            image_table.add_metadata(path.with_suffix(".parquet"), total, columns)
        path.unlink()
