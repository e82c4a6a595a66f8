"""What clients send and get: the catalogue, uploads, and the HTTP interface to both."""
