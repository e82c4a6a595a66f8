"""Ports for servers that tests start."""

import secrets
import socket


def free_port() -> int:
    """Below the ports that the system hands out by itself, so that no connection takes it before the service does."""
    while True:
        # Not by `random`, which every test process seeds alike.
        port = 10_000 + secrets.randbelow(20_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
