"""Who may use the dashboard: everyone, or only whoever sits at this machine."""

import os

ENVIRONMENT = "BERTNESIA_PUBLIC"
"""Set to 1, it says that strangers use the dashboard: no local paths, nothing written to disk for them."""


def is_public() -> bool:
    """Whether the dashboard serves strangers."""
    return os.environ.get(ENVIRONMENT, "").strip().lower() in {"1", "true", "yes", "on"}
