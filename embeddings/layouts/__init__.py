"""Layouts that a collection can have beside PCA and UMAP: the registry of methods, their parameters, their computation.

Importing this package imports none of the libraries that lay out: each is imported when it is used.
"""

from .computing import compute
from .methods import GRID, METHODS, Method, Neighbours, Problem
from .parameters import Parameter, ParameterError, Values, layout_name, method_of, validated
from .supervision import Target

__all__ = [
    "GRID",
    "METHODS",
    "Method",
    "Neighbours",
    "Parameter",
    "ParameterError",
    "Problem",
    "Target",
    "Values",
    "compute",
    "layout_name",
    "method_of",
    "validated",
]
