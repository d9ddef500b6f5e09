from pathlib import Path

import pytest

from bertnesia.store.study import Study, open_study
from tests.store.synthetic_study import Synthetic, make_study, publish_synthetic


@pytest.fixture(scope="package")
def synthetic() -> Synthetic:
    return make_study()


@pytest.fixture(scope="package")
def database(synthetic: Synthetic, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("study") / "synthetic.duckdb"
    publish_synthetic(path, synthetic)
    return path


@pytest.fixture
def study(database: Path) -> Study:
    return open_study(database)
