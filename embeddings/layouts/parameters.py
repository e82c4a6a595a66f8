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

    def read(self, value: object) -> Value:
        """A client's value, checked. Raises `ParameterError`."""
        if self.type == "text":
            if not isinstance(value, str) or not self.least <= len(value) <= self.most:
                raise ParameterError(f"“{self.name}” is a text of at most {self.most:.0f} characters.", self.name)
            return value
        kind = "whole number" if self.type == "integer" else "number"
        is_whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
        is_number = is_whole or (self.type == "number" and isinstance(value, float) and math.isfinite(value))
        if isinstance(value, bool) or not is_number or not isinstance(value, int | float):
            raise ParameterError(f"“{self.name}” is a {kind}, not {_told(value)}.", self.name)
        if not self.least <= value <= self.most:
            between = f"from {self.least:g} to {self.most:.10g}"
            raise ParameterError(f"“{self.name}” is a {kind} {between}, not {_told(value)}.", self.name)
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


def method_of(methods: Mapping[str, "Method"], name: object) -> "Method":
    """The method that a client names. Raises `ParameterError`."""
    if not isinstance(name, str) or name not in methods:
        known = ", ".join(methods)
        raise ParameterError(f"There is no kind of layout {_told(name)}; known are {known}.", "kind")
    return methods[name]


def validated(method: "Method", given: object) -> Values:
    """A client's parameters, checked, with the defaults of those that it does not give. Raises `ParameterError`."""
    if not isinstance(given, Mapping):
        raise ParameterError("“parameters” is an object of names and values.", "parameters")
    known = {parameter.name: parameter for parameter in method.parameters}
    for name in given:
        if name not in known:
            raise ParameterError(
                f"“{method.name}” has no parameter {_told(name)}; known are {', '.join(known)}.", str(name)[:40]
            )
    return {name: each.read(given[name]) if name in given else each.default for name, each in known.items()}


def layout_name(method: "Method", values: Values) -> str:
    """A readable name, `tsne-perplexity-50-3f2a91`: the method, what differs from the defaults, a digest of all."""
    differing = [
        f"{each.name} {values[each.name]:g}" if each.type != "text" else f"{each.name} {values[each.name]}"
        for each in method.parameters
        if values[each.name] != each.default
    ]
    words = re.sub("[^a-z0-9]+", "-", " ".join([method.name, *differing]).lower()).strip("-")[:_LONGEST].rstrip("-")
    content = json.dumps([method.name, values], sort_keys=True)
    return f"{words}-{hashlib.sha256(content.encode()).hexdigest()[:6]}"


def _told(value: Any) -> str:
    return f"“{str(value)[:40]}”"
