"""The catalogue: built range by range, installed, served."""
