"""An upload from its archive to its results: taking it in, computing it, recovering it."""
