"""Fixtures that tests of several packages share."""

import os
from pathlib import Path

import pytest

# Two workers on two cores: more threads would only wait for each other. Read when torch is first imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data beside the checkout."""
    folder = Path(__file__).resolve().parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("needs the real data folder ../shared/data beside the checkout")
    return folder
