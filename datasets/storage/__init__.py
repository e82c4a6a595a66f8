"""Collections' files in an object store that several hosts share, and the copies of them that this host has."""
