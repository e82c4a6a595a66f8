"""Where the project lies, and the real pictures beside it that some tests need."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT.parent / "shared" / "data"
"""Not a part of the project: a test that needs them is skipped where they are not."""
