"""PixPlot's output in a ZIP: where its pictures lie, and the vector of each.

Written for the layout of PixPlot 0.0.113 (`pixplot.py`): beside `data/manifest.json` lie `data/originals/NAME`, and
`data/image-vectors/inception/NAME.npy` with 2048 numbers each. Its thumbnails, atlases and layouts are not taken.
"""

from collections.abc import Iterable

Parts = tuple[str, ...]

VECTORS = "image-vectors"
_ENDING = ".npy"


def originals(paths: Iterable[Parts]) -> Parts | None:
    """The folder of the pictures of the only plot among these files, by the parts of their paths; None of any other."""
    there = set(paths)
    folders = {parts[:-1] for parts in there}
    plots = [
        folder
        for folder in folders
        if folder[-1:] == ("data",) and (*folder, "manifest.json") in there and (*folder, "originals") in folders
    ]
    return (*plots[0], "originals") if len(plots) == 1 else None


def pictured(path: Parts, folder: Parts) -> str | None:
    """The name of the picture that a file has the vector of, in the plot whose pictures lie in `folder`."""
    plot = folder[:-1]
    *above, name = path
    is_vector = tuple(above[:-1]) == (*plot, VECTORS) and name.endswith(_ENDING)
    return name.removesuffix(_ENDING) if is_vector else None
