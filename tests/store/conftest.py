from pathlib import Path

import pytest

from bertnesia.store.study import Study, open_study
from tests.store.plain import Plain
from tests.store.rich_study import Rich, make_rich, publish_rich
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


@pytest.fixture(scope="package")
def rich_tables() -> Rich:
    return make_rich()


@pytest.fixture(scope="package")
def plain(rich_tables: Rich) -> Plain:
    return Plain(rich_tables.facts, rich_tables.ranks)


@pytest.fixture(scope="package")
def rich_database(rich_tables: Rich, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("rich") / "rich.duckdb"
    publish_rich(path, rich_tables)
    return path


@pytest.fixture
def rich(rich_database: Path) -> Study:
    return open_study(rich_database)
