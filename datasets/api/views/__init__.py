"""The calls, one module for each kind. A view parses, calls and answers."""
