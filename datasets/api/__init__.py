"""The HTTP interface: views, the answers that they give, and their description."""
