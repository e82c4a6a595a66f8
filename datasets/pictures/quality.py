"""What is known of a picture → remarks on what is wrong with it: cut, blank, blurred, tiny."""

from typing import Any

from .image_stats import ImageStats

BLANK = 3.0
"""Contrast below which a picture shows nothing: a page without a word on it, a lens with its cap on."""
BLURRY = 0.001
"""Sharpness below which a picture is out of focus. 1,500 photographs of flowers and 3,000 faces: under 1 % are."""
SMALL = 32
"""Pixels of the shorter side below which the network sees little more than colour."""


def remarks(facts: ImageStats) -> list[dict[str, Any]]:
    """Each with its kind and a sentence, the weightiest first."""
    found: list[dict[str, Any]] = []
    if facts.truncated:
        found.append({"kind": "truncated", "reason": "its file ends early, so that the rest of the picture is grey"})
    if facts.contrast < BLANK:
        reason = f"its brightness varies by {facts.contrast:g} of 255, less than {BLANK:g}"
        found.append({"kind": "blank", "reason": reason, "value": facts.contrast, "threshold": BLANK})
    side = min(facts.width, facts.height)
    if side < SMALL:
        reason = f"it has {facts.width} × {facts.height} pixels, less than {SMALL} on one side"
        found.append({"kind": "too_small", "reason": reason, "value": side, "threshold": SMALL})
    elif facts.contrast >= BLANK and facts.sharpness < BLURRY:
        reason = f"its sharpness is {facts.sharpness:g}, less than {BLURRY:g}"
        found.append({"kind": "blurry", "reason": reason, "value": facts.sharpness, "threshold": BLURRY})
    return found
