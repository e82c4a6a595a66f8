"""Pictures → one JPEG of 1000 tiles, and the same at fewer pixels."""
