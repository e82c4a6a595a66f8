"""`metadata.tsv` of the projector → heads and rows: one column without a head, or several with one; no quoting."""

from dataclasses import dataclass

HEAD = "label"
"""What TensorBoard calls a column without a head, and the labels before the numbers of vectors."""


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
        return Labels(heads=[HEAD], rows=[[line.split("\t")[0]] for line in lines])
    heads = [head.strip() for head in lines[0].split("\t")]
    width = len(heads)
    return Labels(heads=heads, rows=[[*line.split("\t"), *[""] * width][:width] for line in lines[1:]])


def with_labels(labels: Labels | None, of_rows: list[str]) -> Labels | None:
    """With what stood before each row's numbers as a column, where metadata have no such column and none that says the
    same."""
    if not any(of_rows):
        return labels
    if labels is None:
        return Labels(heads=[HEAD], rows=[[label] for label in of_rows])
    is_there = HEAD in map(str.casefold, labels.heads)
    if is_there or any(labels.column(number) == of_rows for number in range(len(labels.heads))):
        return labels
    rows = [[*row, label] for row, label in zip(labels.rows, of_rows, strict=True)]
    return Labels(heads=[*labels.heads, HEAD], rows=rows)
