"""The Python API, on tiny models: the same numbers as the command and as a slow version."""

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import torch
from transformers import AutoModelForMaskedLM

import bertnesia
from bertnesia.errors import BertnesiaError
from bertnesia.store.queries import Question, paraphrases
from bertnesia.store.study import _open, open_study
from bertnesia.studies.run import StudyRun
from bertnesia.studies.spec import probe_spec
from bertnesia.studies.stages import publish_study
from bertnesia.studies.verifying import verify
from tests import tiny
from tests.probes.bear_files import write_bear

CSV = """subject,object,relation,template,paraphrase_1
anna,arlo,born,[X] was born in [Y] .,the town of [X] is [Y] .
bert,bexi,born,,
carl,cumo,born,,
arlo,norland,land,[X] is a town in [Y] .,
"""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("api")
    tiny.save_masked_lm(folder / "models/base")
    tiny.save_masked_lm(folder / "models/other", seed=1)
    tiny.save_masked_lm(folder / "elsewhere/third", seed=2)
    tiny.write_lama(folder / "lama")
    write_bear(folder / "bear")
    (folder / "mine.csv").write_text(CSV)
    return folder


@torch.no_grad()
def slow_scores(folder: Path, text: str, layer: int) -> torch.Tensor:
    model, words = AutoModelForMaskedLM.from_pretrained(folder).eval(), tiny.tokenizer()
    ids = words(text)["input_ids"]
    states = model.bert(torch.tensor([ids]), output_hidden_states=True).hidden_states
    return model.cls(states[layer])[0, ids.index(words.mask_token_id)]


def test_importing_the_package_loads_nothing_heavy() -> None:
    heavy = ("torch", "transformers", "pandas", "duckdb", "numpy")
    code = f"import sys, bertnesia; assert 'probe' in dir(bertnesia); print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    assert not hasattr(bertnesia, "no_such_name")
    assert all(getattr(bertnesia, name) for name in bertnesia.__all__)


def test_per_layer_is_what_the_command_prints(root: Path, tmp_path: Path) -> None:
    table = bertnesia.probe([root / "models/base", root / "models/other"], "trex", data=root, out=tmp_path / "api")
    command = [sys.executable, "-m", "bertnesia.cli", "probe", root / "models/base", root / "models/other"]
    done = subprocess.run(
        [*map(str, command), "--probes", "trex", "--data", str(root), "--out", str(tmp_path / "cli"), "--json"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    pd.testing.assert_frame_equal(table, pd.DataFrame(json.loads(done.stdout)), check_dtype=False)
    assert list(table.columns) == [
        "probe_set", "average", "kind", "model", "layer", "facts", "P@1", "P@10", "P@100", "MRR",
    ]  # fmt: skip
    assert (tmp_path / "api/probe.duckdb").is_file()


def test_per_fact_and_relation_agree_with_a_slow_version(root: Path) -> None:
    facts = bertnesia.probe(root / "models/base", root / "mine.csv", per="fact")
    assert len(facts) == 4 * 3
    words = tiny.tokenizer()
    for row in facts.to_dict("records"):
        scores = slow_scores(root / "models/base", row["prompt"], row["layer"])
        answer = words.convert_tokens_to_ids(row["object"])
        assert row["rank"] == 1 + int((scores > scores[answer]).sum())
        assert row["prediction"] == words.convert_ids_to_tokens(int(scores.argmax()))
        assert row["log_probability"] == pytest.approx(float(scores.log_softmax(0)[answer]), abs=6e-4)
    relations = bertnesia.probe(root / "models/base", root / "mine.csv", per="relation")
    for row in relations.to_dict("records"):
        ranks = facts[(facts["relation"] == row["relation"]) & (facts["layer"] == row["layer"])]["rank"]
        assert row["facts"] == len(ranks)
        assert row["P@10"] == pytest.approx((ranks <= 10).mean())
        assert row["MRR"] == pytest.approx((1 / ranks).mean())


@pytest.mark.parametrize(("layers", "expected"), [("all", {1, 2, 3}), (2, {2}), ("1,3", {1, 3}), ([3, 2], {2, 3})])
def test_layers_may_be_named_in_several_ways(root: Path, layers: object, expected: set[int]) -> None:
    table = bertnesia.probe(root / "models/base", root / "mine.csv", layers)  # type: ignore[arg-type]
    assert set(table["layer"]) == expected


def test_models_may_lie_in_different_folders_and_nothing_is_left_behind(root: Path) -> None:
    opened = dict(_open)
    apart = bertnesia.probe([root / "models/base", root / "elsewhere/third"], root / "mine.csv")
    assert list(dict.fromkeys(apart["model"])) == ["base", "third"]
    assert _open == opened
    alone = bertnesia.probe(root / "models/base", root / "mine.csv")
    pd.testing.assert_frame_equal(apart[apart["model"] == "base"].reset_index(drop=True), alone)
    assert sorted(path.name for path in root.iterdir()) == ["bear", "elsewhere", "lama", "mine.csv", "models"]


def test_candidates_of_an_answer_space_are_ranked_in_the_same_way(root: Path) -> None:
    facts = bertnesia.probe(root / "models/base", ["bear", "bear_original"], data=root, per="fact")
    assert set(facts["probe_set"]) == {"bear", "bear_original"}
    assert (facts["rank"] <= 3).all(), "no answer space has more than three"
    capitals = facts[(facts["relation"] == "P36") & (facts["layer"] == 3)]
    assert set(capitals["prediction"]) <= {"Arlo", "New Bexi", "Cumo"}
    assert ((capitals["rank"] == 1) == (capitals["prediction"] == capitals["object"])).all()
    layers = bertnesia.probe(root / "models/base", "bear", 3, data=root)
    bear = facts[(facts["probe_set"] == "bear") & (facts["layer"] == 3)]
    assert layers.loc[0, "P@1"] == pytest.approx((bear["rank"] == 1).mean())
    assert layers.loc[0, "average"] == "micro"


def test_results_on_tables_and_answer_spaces_can_be_verified(root: Path, tmp_path: Path) -> None:
    bertnesia.probe(root / "models/base", [root / "mine.csv", "bear"], data=root, out=tmp_path / "out")
    checks = verify(tmp_path / "out/probe.duckdb", root, facts=9)
    assert [check for check in checks if check.mismatches] == []
    (ranks,) = [check for check in checks if "ranks of base" in check.what]
    assert ranks.checked == 9 * 3
    study = open_study(tmp_path / "out/probe.duckdb")
    stored = study.query("SELECT probe_set, label, scoring FROM probe_sets ORDER BY probe_set").to_dict("records")
    assert stored == [
        {"probe_set": "bear", "label": "BEAR", "scoring": "within_word_l2r"},
        {"probe_set": "mine", "label": "mine.csv", "scoring": "vocabulary"},
    ]


def test_paraphrases_are_compared(root: Path) -> None:
    table = bertnesia.probe_paraphrases(root / "models/base", root / "mine.csv", k=20, per="relation")
    assert list(table["layer"]) == [1, 1, 2, 2, 3, 3, "any", "any"]
    words = tiny.tokenizer()
    for layer in (1, 2, 3):
        right, said = [], []
        for person, town in (("anna", "arlo"), ("bert", "bexi"), ("carl", "cumo")):
            texts = f"{person} was born in [MASK] .", f"the town of {person} is [MASK] ."
            both = [slow_scores(root / "models/base", text, layer) for text in texts]
            answer = words.convert_tokens_to_ids(town)
            right.append([int((scores > scores[answer]).sum()) < 20 for scores in both])
            said.append(both[0].argmax() == both[1].argmax())
        row = table[(table["layer"] == layer) & (table["relation"] == "born")].iloc[0]
        shares = [sum(one[i] for one in right) / 3 for i in (0, 1)]
        assert (row["templates"], row["facts"]) == (2, 3)
        assert row["mean"] == pytest.approx(sum(shares) / 2)
        assert row["best"] == pytest.approx(max(shares))
        assert row["consistency"] == pytest.approx(sum(map(bool, said)) / 3)
        assert row["agreement"] == pytest.approx(sum(a == b for a, b in right) / 3)
        assert row["consistent_accuracy"] == pytest.approx(sum(a and b for a, b in right) / 3)
    layers = bertnesia.probe_paraphrases(root / "models/base", root / "mine.csv", 3, k=20)
    last = table[table["layer"] == 3]
    assert list(layers["layer"]) == [3, "any"]
    assert layers.loc[0, "mean"] == pytest.approx(last["mean"].mean())


def test_stored_ranks_of_paraphrases_tell_the_same(root: Path, tmp_path: Path) -> None:
    spec = probe_spec(["base"], [str(root / "mine.csv")], ["stock"]).model_copy(update={"variants": ["paraphrases"]})
    study = open_study(publish_study(StudyRun(spec, None, tmp_path, root / "models", train=False)))
    stored = paraphrases(study, Question("mine", ("base",), "stock", k=20))
    stored = stored.assign(layer=stored["layer"].astype(object).where(stored["layer"].notna(), "any"))
    fresh = bertnesia.probe_paraphrases(root / "models/base", root / "mine.csv", k=20, per="relation")
    keys = ["layer", "relation"]
    both = [table.sort_values(keys, key=lambda key: key.astype(str), ignore_index=True) for table in (stored, fresh)]
    of_ranks = [*keys, "templates", "facts", "mean", "best", "best_template", "agreement", "consistent_accuracy"]
    pd.testing.assert_frame_equal(both[0][of_ranks], both[1][of_ranks], check_dtype=False)


def test_decoders_are_trained_and_then_used(root: Path, tmp_path: Path) -> None:
    model = tiny.save_masked_lm(tmp_path / "model")
    text = tiny.write_text(tmp_path / "toy.txt")
    records = bertnesia.train_decoders(model, text, exclude="trex", data=root, steps=2)
    assert list(records["layer"]) == [1, 2, 3]
    assert (records["loss"] > 0).all()
    assert set(bertnesia.probe(model, root / "mine.csv")["kind"]) == {"trained", "stock"}
    assert bertnesia.Cloze(model).kinds == ("trained", "stock")
    with pytest.raises(BertnesiaError, match="trained already exists: delete it, or name another folder"):
        bertnesia.train_decoders(model, text, exclude="trex", data=root, steps=2)
    with pytest.raises(BertnesiaError, match=r"organisation/model is not a folder here: say where .* \(--out\)"):
        bertnesia.train_decoders("organisation/model", text)
    with pytest.raises(BertnesiaError, match=r"There is no model folder \./nowhere"):
        bertnesia.train_decoders("./nowhere", text)


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        ({"per": "model"}, "per is 'model', but must be one of layer, relation, fact"),
        ({"layers": 4}, "There is no layer 4: this model has layers 1 to 3"),
        ({"probes": "wiki"}, "There is no probe set wiki"),
        ({"models": []}, "Name at least one model"),
        ({"models": "./nowhere"}, "There is no model folder"),
        ({"kinds": "trained"}, "There are no decoders in"),
    ],
)
def test_bad_arguments_are_one_sentence(root: Path, arguments: dict[str, object], fault: str) -> None:
    given = {"models": root / "models/base", "probes": root / "mine.csv", **arguments}
    with pytest.raises(BertnesiaError, match=fault):
        bertnesia.probe(**given)  # type: ignore[arg-type]


def test_models_of_one_name_and_empty_folders_are_refused(root: Path, tmp_path: Path) -> None:
    other = tiny.save_masked_lm(tmp_path / "base")
    with pytest.raises(BertnesiaError, match="Two of the models are called base"):
        bertnesia.probe([root / "models/base", other])
    with pytest.raises(BertnesiaError, match=r"config\.json and weights\. There is one in .*models/\w+\.$"):
        bertnesia.probe(root / "models")
    (tmp_path / "empty").mkdir()
    with pytest.raises(BertnesiaError, match=r"There is no model in .*empty: a model's folder holds .* weights\.$"):
        bertnesia.probe(tmp_path / "empty")


def test_the_base_comes_first_whatever_it_is_called(root: Path, tmp_path: Path) -> None:
    models = [tiny.save_masked_lm(tmp_path / name, seed) for seed, name in enumerate(("zebra", "ape"))]
    table = bertnesia.probe(models, "trex", kinds="stock", data=root)
    assert list(table["model"]) == ["zebra"] * 3 + ["ape"] * 3
    assert list(table["layer"]) == [1, 2, 3] * 2
