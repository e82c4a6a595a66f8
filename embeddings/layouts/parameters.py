"""The parameters of layouts: what each is, how a client's value is checked, and the name that a layout gets of them."""

import hashlib
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from embeddings.reducers import SEED as DEFAULT_SEED

if TYPE_CHECKING:
    from .methods import Method

Value = int | float | str
Values = dict[str, Value]
"""Parameter → its value, all of a method's."""

_LONGEST = 60
"""Characters of a name before its digest."""


class ParameterError(ValueError):
    """A method or a parameter is not what it may be; the message says what it may be."""

    def __init__(self, sentence: str, name: str) -> None:
        super().__init__(sentence)
        self.name = name


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """One parameter of a method."""

    name: str
    type: Literal["integer", "number", "text"]
    default: Value
    description: str
    least: float = -math.inf
    most: float = math.inf
    """Both included; of a text, characters."""
    choices: tuple[str, ...] = ()
    """The texts that it takes, where it does not take others."""
    needs: str = ""
    """The parameter without whose value it has no say: then it is left out."""

    def read(self, value: object) -> Value:
        """A client's value, checked. Raises `ParameterError`."""
        if self.type == "text":
            if not isinstance(value, str) or not self.least <= len(value) <= self.most:
                raise ParameterError(f"“{self.name}” is a text of at most {self.most:.0f} characters.", self.name)
            if self.choices and value not in self.choices:
                raise ParameterError(f"“{self.name}” is one of {', '.join(self.choices)}.", self.name)
            return value
        kind = "whole number" if self.type == "integer" else "number"
        is_whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
        is_number = is_whole or (self.type == "number" and isinstance(value, float) and math.isfinite(value))
        if isinstance(value, bool) or not is_number or not isinstance(value, int | float):
            raise ParameterError(f"“{self.name}” is a {kind}, not {_quoted(value)}.", self.name)
        if not self.least <= value <= self.most:
            between = f"from {self.least:g} to {self.most:.10g}"
            raise ParameterError(f"“{self.name}” is a {kind} {between}, not {_quoted(value)}.", self.name)
        return int(value) if self.type == "integer" else float(value)


DIMENSIONS = Parameter(
    name="dimensions", type="integer", default=2, least=2, most=3, description="2 for a plane, 3 for space."
)
SEED = Parameter(
    name="seed",
    type="integer",
    default=DEFAULT_SEED,
    least=0,
    most=2**32 - 1,
    description="Another one gives another layout; the same one the same.",
)
NEIGHBOURS = Parameter(
    name="n_neighbors",
    type="integer",
    default=15,
    least=2,
    most=200,
    description="How many pictures count as near to each: few show fine detail, many the large-scale order.",
)
MIN_DIST = Parameter(
    name="min_dist",
    type="number",
    default=0.1,
    least=0,
    most=0.99,
    description="How close pictures may lie: 0 packs groups tightly, more spreads them.",
)
PERPLEXITY = Parameter(
    name="perplexity",
    type="number",
    default=30.0,
    least=2,
    most=200,
    description="How many pictures count as near to each, smoothly: few show fine detail, many the large-scale order.",
)
TARGET = Parameter(
    name="target",
    type="text",
    default="",
    least=0,
    most=200,
    needs="target",
    description="A field by which the layout is supervised: pictures that share a value are drawn together.",
)
TARGETS = (
    TARGET,
    Parameter(
        name="target_weight",
        type="number",
        default=0.5,
        least=0,
        most=1,
        needs="target",
        description="How much the field counts beside the pictures: 0 hardly, 1 alone.",
    ),
    Parameter(
        name="target_metric",
        type="text",
        default="auto",
        least=1,
        most=20,
        choices=("auto", "categorical", "l2"),
        needs="target",
        description="categorical: values are equal or not; l2: numbers are near or far; auto: by the field's type.",
    ),
)
"""Of a layout that can be supervised."""


def method_of(methods: Mapping[str, "Method"], name: object) -> "Method":
    """The method that a client names. Raises `ParameterError`."""
    if not isinstance(name, str) or name not in methods:
        known = ", ".join(methods)
        raise ParameterError(f"There is no kind of layout {_quoted(name)}; known are {known}.", "kind")
    return methods[name]


def validated(method: "Method", given: object) -> Values:
    """A client's parameters, checked, with the defaults of those that it does not give. Raises `ParameterError`."""
    if not isinstance(given, Mapping):
        raise ParameterError("“parameters” is an object of names and values.", "parameters")
    known = {parameter.name: parameter for parameter in method.parameters}
    for name in given:
        if name not in known:
            raise ParameterError(
                f"“{method.name}” has no parameter {_quoted(name)}; known are {', '.join(known)}.", str(name)[:40]
            )
    values = {name: each.read(given[name]) if name in given else each.default for name, each in known.items()}
    return {name: value for name, value in values.items() if not known[name].needs or values[known[name].needs]}


def layout_name(method: "Method", values: Values, content: str = "") -> str:
    """A readable name, `tsne-perplexity-50-3f2a91`: the method, what differs from the defaults, a digest of all.

    `content` tells what else decides it, if anything does.
    """
    differing = [
        f"{each.name} {values[each.name]:g}" if each.type != "text" else f"{each.name} {values[each.name]}"
        for each in method.parameters
        if values.get(each.name, each.default) != each.default
    ]
    words = re.sub("[^a-z0-9]+", "-", " ".join([method.name, *differing]).lower()).strip("-")[:_LONGEST].rstrip("-")
    decided_by = json.dumps([method.name, values, *([content] if content else [])], sort_keys=True)
    return f"{words}-{hashlib.sha256(decided_by.encode()).hexdigest()[:6]}"


def _quoted(value: Any) -> str:
    return f"“{str(value)[:40]}”"
