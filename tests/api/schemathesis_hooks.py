"""Loaded by schemathesis, which test_schema.py runs: what it does not know of media types."""

import schemathesis

schemathesis.serializer.alias("application/offset+octet-stream", "application/octet-stream")
