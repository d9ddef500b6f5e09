from pathlib import Path

import pytest

from bertnesia.live import Checkpoint
from tests import tiny


@pytest.fixture(scope="package")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Checkpoint]:
    """Four tiny models: a base and three siblings that its head decodes."""
    root: Path = tmp_path_factory.mktemp("siblings")
    folders = [str(tiny.save_masked_lm(root / f"model{seed}", seed=seed)) for seed in range(4)]
    return {Path(one).name: Checkpoint(one, folders[0] if place else None) for place, one in enumerate(folders)}
