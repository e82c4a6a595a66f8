"""The pictures of an upload or of the catalogue, by row, and what is rendered of them."""
