"""`metadata.tsv` of the projector → heads and rows: one column without a head, or several with one; no quoting."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Labels:
    """What is said of each row of the vectors."""

    heads: list[str]
    rows: list[list[str]]
    """As many cells as there are heads; empty where there is no value."""

    def column(self, number: int) -> list[str]:
        return [row[number] for row in self.rows]


def read(text: str) -> Labels:
    """Of a text with `\\n` at its lines' ends. Blank lines do not count."""
    lines = [line for line in text.split("\n") if line.strip()]
    if not lines or "\t" not in lines[0]:
        return Labels(heads=["label"], rows=[[line.split("\t")[0]] for line in lines])
    heads = [head.strip() for head in lines[0].split("\t")]
    width = len(heads)
    return Labels(heads=heads, rows=[[*line.split("\t"), *[""] * width][:width] for line in lines[1:]])
