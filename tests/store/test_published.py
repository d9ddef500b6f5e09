"""Figures quoted from papers are in every study, with their sources."""

from pathlib import Path

import pyarrow as pa
import pytest

from bertnesia.store import queries
from bertnesia.store.publish import publish
from bertnesia.store.study import Study, open_study
from tests.store.synthetic_study import Synthetic, arrow, models_table, study_table


def test_the_figures_of_the_paper_and_of_lama(study: Study) -> None:
    right = queries.published(study, "last_layer_p_at_1").set_index("probe_set")
    assert right[["right_facts", "facts"]].astype(int).T.to_dict("list") == {
        "google_re": [569, 5528], "trex": [9725, 34017], "conceptnet": [1892, 12514], "squad": [40, 305]
    }  # fmt: skip
    assert right.loc["squad", "value"] == pytest.approx(40 / 305)
    assert right["source"].str.contains("jwallat/knowledge-acquisition").all()
    lama = queries.published(study, "lama_p_at_1").set_index("probe_set")["value"]
    assert lama.to_dict() == {"google_re": 0.098, "trex": 0.311, "conceptnet": 0.156, "squad": 0.141}
    rates = queries.published(study, "forgetting_rate").set_index("model")["value"]
    assert rates.dropna().to_dict() == {"QA-SQUAD-1": 0.53, "QA-SQUAD-2": 0.35}
    everything = queries.published(study)
    assert everything["source"].str.len().gt(20).all()
    assert set(queries.published(study, probe_set="trex")["probe_set"]) == {"trex"}


def test_a_study_may_add_its_own(tmp_path: Path, synthetic: Synthetic) -> None:
    own = pa.Table.from_pylist(
        [{"figure": "forgetting_rate", "model": "x", "probe_set": "", "value": 0.5, "note": "", "source": "a paper"}]
    )
    publish(
        tmp_path / "a.duckdb",
        {
            "study": study_table(),
            "models": models_table(),
            "relations": arrow(synthetic.relations),
            "facts": arrow(synthetic.facts),
            "ranks": arrow(synthetic.ranks),
            "published": own,
        },
    )
    models = queries.published(open_study(tmp_path / "a.duckdb"), "forgetting_rate")["model"]
    assert {"QA-SQUAD-1", "x"} <= set(models)
