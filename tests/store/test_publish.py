"""Publishing: what is in the file, what is refused, and readers that go on undisturbed."""

import subprocess
import sys
import threading
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from bertnesia.errors import BertnesiaError
from bertnesia.store.publish import SCHEMA_VERSION, Source, publish
from bertnesia.store.study import Study, open_study
from tests.store.synthetic_study import Synthetic, arrow, models_table, publish_synthetic, study_table


@pytest.fixture
def tables(synthetic: Synthetic) -> dict[str, Source]:
    return {
        "study": study_table(),
        "models": models_table(),
        "relations": arrow(synthetic.relations),
        "facts": arrow(synthetic.facts),
        "ranks": arrow(synthetic.ranks),
    }


def test_ranks_are_stored_in_order(study: Study, synthetic: Synthetic) -> None:
    """By the facts' numbers in the file: those that can be asked first, then by id."""
    stored = study.query("SELECT * FROM ranks")
    facts = synthetic.facts.sort_values(["eligible", "fact"], ascending=[False, True])
    numbers = pd.Series(range(1, len(facts) + 1), index=facts["fact"])
    expected = synthetic.ranks.sort_values(["model", "kind", "seed", "variant", "fact", "layer"]).reset_index(drop=True)
    expected = expected.assign(
        fact=expected["fact"].map(numbers),
        others_before=expected["rank"] - expected["filtered_rank"],
        log_probability=expected["log_probability"].round(3),
    )
    pd.testing.assert_frame_equal(stored, expected[list(stored)], check_dtype=False)


def test_probabilities_are_stored_with_four_digits(study: Study, synthetic: Synthetic) -> None:
    order = ["model", "kind", "fact", "layer"]
    stored = study.query(f"SELECT * FROM predictions ORDER BY {', '.join(order)}")
    given = synthetic.predictions.sort_values(order)
    assert [list(row) for row in stored["tokens"]] == given["tokens"].tolist()
    kept, told = (np.stack(table["probabilities"].to_numpy()) for table in (stored, given))
    assert (kept == told.round(4).astype(np.float32)).all()
    assert not np.allclose(kept, told, rtol=1e-6)


def test_summaries_equal_a_slow_count(study: Study, synthetic: Synthetic) -> None:
    ranks = synthetic.ranks.merge(synthetic.facts, on="fact")
    keys = ["model", "kind", "seed", "variant", "layer", "probe_set", "relation", "half"]
    counts = study.query("SELECT * FROM layer_counts").set_index(keys)
    for key, rows in ranks.assign(half=ranks["fact"] % 2).groupby(keys):
        found = counts.loc[key]
        assert found["facts"] == len(rows)
        for prefix, column in (("", "rank"), ("filtered_", "filtered_rank")):
            for k in (1, 10, 100):
                assert found[f"{prefix}right_{k}"] == sum(rank <= k for rank in rows[column])
            assert found[f"{prefix}reciprocal_ranks"] == pytest.approx(sum(1 / rank for rank in rows[column]))
            squares = sum(1 / rank**2 for rank in rows[column])
            assert found[f"{prefix}squared_reciprocal_ranks"] == pytest.approx(squares)


def test_best_is_the_first_layer_that_reaches_the_best_rank(study: Study, synthetic: Synthetic) -> None:
    best = study.query("SELECT * FROM best JOIN facts USING (fact)").set_index(["model", "kind", "id"])
    groups = synthetic.ranks.groupby(["model", "kind", "fact"])
    assert len(best) == len(groups)
    for key, rows in groups:
        by_layer = dict(zip(rows["layer"], rows["rank"], strict=True))
        smallest = min(by_layer.values())
        assert best.loc[key, "rank"] == smallest
        assert best.loc[key, "layer"] == min(layer for layer, rank in by_layer.items() if rank == smallest)
        assert best.loc[key, "filtered_rank"] == rows["filtered_rank"].min()


def test_tables_left_out_are_empty(tmp_path: Path, tables: dict[str, Source]) -> None:
    publish(tmp_path / "a.duckdb", tables)
    study = open_study(tmp_path / "a.duckdb")
    for name in ("training", "decoders", "predictions"):
        assert study.query(f"SELECT count(*) AS n FROM {name}")["n"][0] == 0


def _without_fact(ranks: pd.DataFrame) -> pd.DataFrame:
    ranks.loc[3, "fact"] = 7
    return ranks


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (_without_fact, "fact 7, which is not among the facts"),
        (lambda ranks: pd.concat([ranks, ranks[:1]]), "some layer has two"),
        (lambda ranks: ranks[1:], "some layer has none"),
        (lambda ranks: ranks.assign(model="other"), "the model other, which is not among the models"),
        (lambda ranks: ranks.assign(rank=np.int32(0)), "ranks of mini go from 0"),
        (lambda ranks: ranks.assign(rank=np.int32(1001)), "but its vocabulary has 1000 entries"),
        (lambda ranks: ranks.assign(layer=ranks["layer"] + 1), "name layer 7, but it has 6 layers"),
        (lambda ranks: ranks.drop(columns="ties"), "ties"),
        (lambda ranks: ranks.assign(rank=ranks["rank"].astype(float).where(ranks.index != 2)), "rank"),
    ],
)
def test_faulty_ranks_are_refused(
    tmp_path: Path, tables: dict[str, Source], synthetic: Synthetic, spoil: object, sentence: str
) -> None:
    path = tmp_path / "a.duckdb"
    path.write_text("the old one")
    ranks = spoil(synthetic.ranks.copy())  # type: ignore[operator]
    with pytest.raises(BertnesiaError, match=sentence):
        publish(path, {**tables, "ranks": arrow(ranks)})
    assert path.read_text() == "the old one"
    assert [file.name for file in tmp_path.iterdir()] == ["a.duckdb"]


def test_other_faulty_tables_are_refused(tmp_path: Path, tables: dict[str, Source], synthetic: Synthetic) -> None:
    path = tmp_path / "a.duckdb"
    with pytest.raises(BertnesiaError, match="without ranks"):
        publish(path, {name: table for name, table in tables.items() if name != "ranks"})
    with pytest.raises(BertnesiaError, match="with best"):
        publish(path, {**tables, "best": tables["ranks"]})
    with pytest.raises(BertnesiaError, match="P19 of trex has facts but no entry"):
        publish(path, {**tables, "relations": arrow(synthetic.relations.query("relation != 'P19'"))})
    with pytest.raises(BertnesiaError, match="there are no parts"):
        publish(path, {**tables, "ranks": []})
    with pytest.raises(BertnesiaError, match=r"fact \d+ stands 2 times among the facts"):
        publish(path, {**tables, "facts": arrow(pd.concat([synthetic.facts, synthetic.facts[:1]]))})
    coverage = pd.DataFrame({"corpus": "text", "fact": synthetic.facts["fact"].iloc[[0, 0]], "mentions": 1})
    with pytest.raises(BertnesiaError, match=r"fact \d+ stands 2 times in the coverage of text"):
        publish(path, {**tables, "coverage": arrow(coverage)})
    with pytest.raises(BertnesiaError, match="publish coverage: they name fact 7, which is not among the facts"):
        publish(path, {**tables, "coverage": arrow(coverage.assign(fact=7))})
    with pytest.raises(BertnesiaError, match="base model mini"):
        publish(path, {**tables, "models": models_table().slice(1), "ranks": arrow(synthetic.ranks[0:0])})
    with pytest.raises(BertnesiaError, match="2 rows in place of one"):
        publish(path, {**tables, "study": arrow(pd.concat([study_table().to_pandas()] * 2))})
    assert not path.exists()


def test_a_damaged_part_is_named(tmp_path: Path, synthetic: Synthetic) -> None:
    path = tmp_path / "a.duckdb"
    publish_synthetic(path, synthetic)
    part = tmp_path / "parts" / "ranks-mini.parquet"
    parts = [part, tmp_path / "parts" / "ranks-qa-squad.parquet"]
    tables: dict[str, Source] = {
        "study": study_table(),
        "models": models_table(),
        "relations": arrow(synthetic.relations),
        "facts": arrow(synthetic.facts),
    }
    data = bytearray(part.read_bytes())
    data[len(data) // 3] ^= 1
    part.write_bytes(data)
    with pytest.raises(BertnesiaError, match=r"ranks-mini\.parquet: it is damaged .* delete it and run again"):
        publish(path, {**tables, "ranks": parts})
    part.unlink()
    with pytest.raises(BertnesiaError, match=r"ranks-mini\.parquet: it is missing"):
        publish(path, {**tables, "ranks": parts})


def test_readers_keep_their_version_and_a_new_one_is_noticed(tmp_path: Path, synthetic: Synthetic) -> None:
    path = tmp_path / "a.duckdb"
    studies = []
    for title in ("first", "second", "third"):
        publish_synthetic(path, synthetic, title=title)
        studies.append(open_study(path))
        assert open_study(path) is studies[-1]
    titles = [study.query("SELECT title FROM study")["title"][0] for study in studies]
    assert titles == [study.title for study in studies] == ["first", "second", "third"]
    assert len({study.version for study in studies}) == 3


def test_another_process_reads_on_while_a_new_version_is_published(tmp_path: Path, synthetic: Synthetic) -> None:
    path = tmp_path / "a.duckdb"
    publish_synthetic(path, synthetic, title="first")
    program = (
        "import sys; from pathlib import Path; from bertnesia.store.study import open_study\n"
        "held = open_study(Path(sys.argv[1])); print('open', flush=True); sys.stdin.readline()\n"
        "for study in (held, open_study(Path(sys.argv[1]))):\n"
        "    print(study.title, study.query('SELECT sum(rank) AS s FROM ranks')['s'][0])\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as reader:
        assert reader.stdout is not None
        assert reader.stdout.readline() == "open\n"
        publish_synthetic(path, synthetic, title="second")
        said, _ = reader.communicate("\n", timeout=60)
    total = synthetic.ranks["rank"].sum()
    assert said.splitlines() == [f"first {total}.0", f"second {total}.0"]


def test_threads_query_one_study_at_once(study: Study, synthetic: Synthetic) -> None:
    wrong: list[object] = []
    total = synthetic.ranks["rank"].sum()

    def read() -> None:
        for _ in range(15):
            found = study.query("SELECT sum(rank) AS s FROM ranks WHERE rank >= $low", {"low": 1})["s"][0]
            if found != total:
                wrong.append(found)

    threads = [threading.Thread(target=read) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM read_text('/etc/hostname')",
        "ATTACH 'other.duckdb'",
        "COPY (SELECT 1) TO 'out.csv'",
        "SET enable_external_access = true",
        "DELETE FROM published.ranks",
        "CREATE TABLE published.other (a INTEGER)",
    ],
)
def test_an_open_study_reaches_nothing_else(study: Study, statement: str) -> None:
    with pytest.raises(duckdb.Error):
        study.query(statement)


def test_what_is_no_study_is_refused(tmp_path: Path, tables: dict[str, Source], database: Path) -> None:
    path = tmp_path / "a.duckdb"
    with pytest.raises(BertnesiaError, match="There is no study at"):
        open_study(path)
    with pytest.raises(BertnesiaError, match="is not a file"):
        open_study(tmp_path)
    path.write_bytes(b"not a database " * 1000)
    with pytest.raises(BertnesiaError, match="not a DuckDB file, damaged"):
        open_study(path)
    path.write_bytes(database.read_bytes()[: 2 * 4096])
    with pytest.raises(BertnesiaError, match="damaged"):
        open_study(path)
    path.unlink()
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE something (a INTEGER)")
    with pytest.raises(BertnesiaError, match="holds no study"):
        open_study(path)


@pytest.mark.parametrize(
    ("version", "sentence"),
    [(0, "older bertnesia .* publish the study again"), (SCHEMA_VERSION + 1, "newer bertnesia .* update")],
)
def test_another_schema_version_is_refused(
    tmp_path: Path, tables: dict[str, Source], version: int, sentence: str
) -> None:
    publish(tmp_path / "a.duckdb", {**tables, "study": study_table(version)})
    with pytest.raises(BertnesiaError, match=sentence):
        open_study(tmp_path / "a.duckdb")


def test_damage_found_while_reading_is_one_sentence(tmp_path: Path, synthetic: Synthetic) -> None:
    path = tmp_path / "a.duckdb"
    publish_synthetic(path, synthetic)
    data = bytearray(path.read_bytes())
    study = open_study(path)
    header = 3 * 4096
    for place in range(header, len(data), 512):
        data[place] ^= 0xFF
    with path.open("r+b") as file:  # the file that is open, not a new one in its place
        file.write(data)
    with pytest.raises(BertnesiaError, match="damaged"):
        study.query("SELECT sum(rank), max(log_probability) FROM ranks")
