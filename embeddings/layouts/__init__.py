"""Layouts that a collection can have beside PCA and UMAP: the registry of methods, their parameters, their computation.

Importing this package imports none of the libraries that lay out: each is imported when it is used.
"""

from .computing import compute
from .methods import GRID, METHODS, Method, Problem
from .parameters import Parameter, ParameterError, Values, layout_name, method_of, validated

__all__ = [
    "GRID",
    "METHODS",
    "Method",
    "Parameter",
    "ParameterError",
    "Problem",
    "Values",
    "compute",
    "layout_name",
    "method_of",
    "validated",
]
