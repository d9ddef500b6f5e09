import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from tests import tiny
from tests.store.synthetic_study import LAYERS, MODELS, Synthetic, make_study, publish_synthetic

APP = Path(__file__).resolve().parents[2] / "app.py"

OpenPage = Callable[..., AppTest]


@pytest.fixture(scope="package")
def synthetic() -> Synthetic:
    return make_study()


@pytest.fixture(scope="package")
def database(synthetic: Synthetic, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A made-up study whose two models are tiny BERTs that answer live prompts with `stock` decoders."""
    folder = tmp_path_factory.mktemp("app")
    for seed, model in enumerate(MODELS):
        tiny.save_masked_lm(folder / "models" / model, seed=seed, layers=LAYERS)
    publish_synthetic(folder / "synthetic.duckdb", synthetic)
    return folder / "synthetic.duckdb"


@pytest.fixture
def open_page(database: Path, monkeypatch: pytest.MonkeyPatch) -> OpenPage:
    """Opens a page through the router, with the address's parameters, as a pasted link does."""

    def opened(page: str = "", study: Path = database, **parameters: str | list[str]) -> AppTest:
        monkeypatch.setenv("BERTNESIA_DB", str(study))
        app = AppTest.from_file(str(APP), default_timeout=60)
        if page:
            app.run()
            app.switch_page(f"pages/{page}.py")
        for name, value in parameters.items():
            app.query_params[name] = value
        app.run()
        assert not app.exception
        return app

    return opened


def figures(app: AppTest) -> list[dict[str, Any]]:
    """Plotly's description of every figure on the page."""
    return [json.loads(element.proto.spec) for element in app.get("plotly_chart")]


def set_segment(app: AppTest, key: str, value: str) -> None:
    """Choose in a row of options."""
    next(one for one in app.segmented_control if one.key == key).set_value(value)
