"""The whole paper study with tiny stand-ins: BERTs under the checkpoints' names, toy texts in the real ones' places."""

import json
from pathlib import Path

import pandas as pd
import pytest
import torch
from huggingface_hub import constants
from transformers import (
    AutoModelForMaskedLM,
    AutoTokenizer,
    BertConfig,
    BertForMaskedLM,
    BertForQuestionAnswering,
    BertForSequenceClassification,
    BertForTokenClassification,
    PreTrainedModel,
)

from bertnesia import cli
from bertnesia.errors import BertnesiaError
from bertnesia.models.decoders import read_decoder_config
from bertnesia.store.study import Study, open_study
from bertnesia.studies.planning import DONE, MISSING, TO_DO, estimate, plan
from bertnesia.studies.run import StudyRun
from bertnesia.studies.spec import StudySpec, read_study
from bertnesia.studies.stages import run_study
from tests import tiny
from tests.probes.lama_files import google, sentence, write_folder

PAPER = Path(__file__).resolve().parents[2] / "studies/paper.toml"
SIBLINGS = {
    "csarron/bert-base-uncased-squad-v1": BertForQuestionAnswering,
    "deepset/bert-base-uncased-squad2": BertForQuestionAnswering,
    "Capreolus/bert-base-msmarco": BertForSequenceClassification,
    "dslim/bert-base-NER-uncased": BertForTokenClassification,
}
NAMES = ["bert-base-uncased", "qa-squad-1", "qa-squad-2", "rank-msmarco", "ner-conll", "mlm-squad", "mlm-msmarco"]


def paper_spec() -> StudySpec:
    """The study as it ships, but for the length of the training."""
    spec = read_study(PAPER)
    settings = spec.decoders.settings
    schedule = settings.schedule.model_copy(update={"steps": 12, "evaluations": 3, "warmup_steps": 2})
    settings = settings.model_copy(update={"schedule": schedule})
    return spec.model_copy(update={"decoders": spec.decoders.model_copy(update={"settings": settings})})


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tiny checkpoints under the names that they have on the hub."""
    folder = tmp_path_factory.mktemp("models")
    words = tiny.tokenizer()
    config = BertConfig(
        vocab_size=len(words),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=256,
        initializer_range=0.2,
        pad_token_id=words.pad_token_id,
    )
    torch.manual_seed(0)
    base = BertForMaskedLM(config)
    save(base, folder / "google-bert/bert-base-uncased")
    for number, (name, head) in enumerate(SIBLINGS.items()):
        sibling = head(config)
        sibling.base_model.load_state_dict(base.bert.state_dict(), strict=False)
        torch.manual_seed(number)
        with torch.no_grad():
            for parameter in sibling.base_model.encoder.parameters():
                parameter.add_(0.02 * torch.randn_like(parameter))
        save(sibling, folder / name)
    return folder


def save(model: PreTrainedModel, folder: Path) -> None:
    model.save_pretrained(folder)
    tiny.tokenizer().save_pretrained(folder)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data")
    tiny.write_lama(root / "lama")
    born = {person: tiny.town_of(person) for person in tiny.PEOPLE}
    write_folder(
        root / "lama",
        {
            "Google_RE/place_of_birth_test.jsonl": [google(person, town) for person, town in born.items()],
            "ConceptNet/test.jsonl": [
                sentence(f"{town} is a [MASK] .", "town", pred="IsA", sub_label=town, uuid=town) for town in tiny.TOWNS
            ],
            "Squad/test.jsonl": [
                sentence(f"{person} lives in [MASK] .", town, sub_label="Squad", id=f"{person}_0")
                for person, town in born.items()
            ],
        },
    )
    lines = [line for line in tiny.write_text(root / "toy.txt").read_text().splitlines() if line]
    articles = [f" = {line.split()[0]} {i} = \n\n {line} \n" for i, line in enumerate(lines)]
    (root / "wikitext-2-raw").mkdir()
    (root / "wikitext-2-raw/wiki.train.raw").write_text("\n".join(articles[:100]), encoding="utf-8")
    (root / "wikitext-2-raw/wiki.valid.raw").write_text("\n".join(articles[100:]), encoding="utf-8")
    for name in ("squad/train-passages.txt", "msmarco/passages.txt"):
        (root / name).parent.mkdir()
        (root / name).write_text("\n".join(lines[:: 2 if "squad" in name else 1]), encoding="utf-8")
    return root


@pytest.fixture(scope="module")
def run(models: Path, data: Path, tmp_path_factory: pytest.TempPathFactory) -> StudyRun:
    paper = StudyRun(paper_spec(), data, tmp_path_factory.mktemp("runs") / "paper", models)
    run_study(paper)
    return paper


@pytest.fixture(scope="module")
def study(run: StudyRun) -> Study:
    return open_study(run.database)


def test_every_model_is_asked_every_probe_set_with_both_kinds(study: Study) -> None:
    counts = study.query(
        "SELECT model, kind, layer, probe_set, count(*) AS n FROM ranks JOIN facts USING (fact) "
        "WHERE variant = 'plain' GROUP BY ALL"
    )
    eligible = study.query("SELECT probe_set, count(*) AS n FROM facts WHERE eligible GROUP BY ALL")
    expected = eligible.set_index("probe_set")["n"].to_dict()
    assert expected == {"trex": 20, "google_re": 8, "conceptnet": 12, "squad": 8}
    found = {(r.model, r.kind, r.layer, r.probe_set): r.n for r in counts.itertuples()}
    assert found == {
        (model, kind, layer, name): n
        for model in NAMES
        for kind in ("full", "stock")
        for layer in (1, 2)
        for name, n in expected.items()
    }


def test_masked_subjects_are_asked_where_the_sentence_names_them(study: Study) -> None:
    asked = study.query(
        "SELECT probe_set, count(DISTINCT fact) AS n FROM ranks JOIN facts USING (fact) "
        "WHERE variant = 'subject_masked' GROUP BY ALL ORDER BY ALL"
    )
    assert asked.set_index("probe_set")["n"].to_dict() == {"conceptnet": 12, "google_re": 8, "trex": 20}


def test_the_bases_last_layer_is_its_own_masked_language_model(study: Study, models: Path) -> None:
    rows = study.query(
        "SELECT prompt, object, rank, log_probability FROM ranks JOIN facts USING (fact) "
        "WHERE model = 'bert-base-uncased' AND kind = 'stock' AND layer = 2 AND variant = 'plain'"
    )
    place = models / "google-bert/bert-base-uncased"
    model, words = AutoModelForMaskedLM.from_pretrained(place).eval(), AutoTokenizer.from_pretrained(place)
    for row in rows.itertuples():
        inputs = words(row.prompt, return_tensors="pt")
        with torch.no_grad():
            scores = model(**inputs).logits[0, inputs["input_ids"][0].tolist().index(words.mask_token_id)]
        answer = words.convert_tokens_to_ids(row.object)
        assert row.rank == 1 + int((scores > scores[answer]).sum())
        assert row.log_probability == pytest.approx(float(scores.log_softmax(0)[answer]), abs=6e-4)


def test_siblings_are_the_checkpoints_and_two_of_our_own(study: Study, run: StudyRun) -> None:
    table = study.models().set_index("model")
    assert list(table.index) == NAMES
    assert table["encoder_hash"].nunique() == len(NAMES)
    assert table["vocabulary_hash"].nunique() == 1
    assert (table["architecture"] == "bert").all()
    for name in ("mlm-squad", "mlm-msmarco"):
        assert table.loc[name, "objective"] == "mlm"
        assert json.loads(table.loc[name, "scores"])["accuracy"] >= 0
        assert (run.work / "models" / name / "model.safetensors").exists()
    assert not (run.work / "models/qa-squad-1/config.json").exists(), "a checkpoint is not copied"
    before, after = (run.work / "models/mlm-squad/bertnesia.json", run.work / "models/mlm-msmarco/bertnesia.json")
    assert json.loads(before.read_text())["steps"] <= json.loads(after.read_text())["steps"]


def test_decoders_are_trained_in_the_papers_way(study: Study, run: StudyRun) -> None:
    for name in NAMES:
        config = read_decoder_config(run.work / "models" / name / "decoders/full")
        schedule = config.settings["schedule"]
        paper = {"batch_sequences": 8, "learning_rate": 5e-5, "patience": 15, "min_delta": 0.01, "seed": 42}
        assert {key: schedule[key] for key in paper} == paper
        assert [source["name"] for source in config.corpus] == ["wiki.train.raw", "wiki.valid.raw"]
        assert config.passages_left_out > 0
    hashes = study.query("SELECT model, layer, kind, hash FROM decoders")
    assert len(hashes) == len(NAMES) * 2 * 2
    assert hashes.loc[hashes["kind"] == "full", "hash"].nunique() == len(NAMES) * 2
    assert read_study(PAPER).decoders.settings.schedule.warmup_steps == 5_000


def test_fine_tuned_models_rank_otherwise_than_the_base(study: Study) -> None:
    ranks = study.query("SELECT model, fact, log_probability FROM ranks WHERE kind = 'stock' AND layer = 2")
    table = ranks.pivot_table(index="fact", columns="model", values="log_probability")
    for name in NAMES[1:]:
        assert not pd.Series.equals(table[name], table["bert-base-uncased"])


def test_the_plan_tells_stages_sizes_times_and_downloads(
    run: StudyRun, models: Path, data: Path, tmp_path: Path
) -> None:
    fresh = StudyRun(paper_spec(), data, tmp_path / "work", models)
    stages = plan(fresh)
    names = [stage.name for stage in stages]
    assert names == ["fine-tune"] * 2 + ["decoders"] * 7 + ["probe"] * 7 + ["publish"]
    assert {stage.state for stage in stages} == {TO_DO}
    seconds = estimate(stages)
    assert all(each is not None and each > 0 for each in seconds[:-1])
    assert sum(stage.megabytes for stage in stages) == 0
    assert {stage.state for stage in plan(run)[:9]} == {DONE}
    assert not (tmp_path / "work").exists()


def test_the_command_shows_the_plan(
    models: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    places = ["--data", str(data), "--models", str(models), "--work", str(tmp_path / "work")]
    monkeypatch.setattr("sys.argv", ["bertnesia", "run", str(PAPER), "--dry-run", *places])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert not ended.value.code
    shown = " ".join(capsys.readouterr().out.split())
    for part in ("fine-tune", "mlm-msmarco", "decoders", "at most 240,000", "probe", "publish", "At most about"):
        assert part in shown
    assert "; 0 MB to download." in shown
    assert "…" not in shown
    assert not (tmp_path / "work").exists()


def test_the_plan_without_anything_lists_what_is_to_be_downloaded(tmp_path: Path) -> None:
    stages = plan(StudyRun(read_study(PAPER), tmp_path, tmp_path / "work"))
    wanted = [stage for stage in stages if stage.state == MISSING]
    assert [stage.what.split()[0] for stage in wanted] == [
        "google-bert/bert-base-uncased",
        "csarron/bert-base-uncased-squad-v1",
        "deepset/bert-base-uncased-squad2",
        "Capreolus/bert-base-msmarco@refs/pr/1",
        "dslim/bert-base-NER-uncased@301540b48433e31000058882c971ddd7bc726547",
        "wikitext-2-raw/wiki.train.raw,",
        "squad/train-passages.txt",
        "msmarco/passages.txt",
        "lama",
    ]
    assert wanted[0].megabytes == pytest.approx(440, rel=0.05)  # BERT-base in float32


def test_without_network_the_error_says_what_is_missing_and_how_to_supply_it(
    monkeypatch: pytest.MonkeyPatch, data: Path, models: Path, tmp_path: Path
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(BertnesiaError) as caught:
        run_study(StudyRun(read_study(PAPER), data, tmp_path / "work"))
    for name in (*SIBLINGS, "google-bert/bert-base-uncased", "in a folder of its name", "--models"):
        assert name in str(caught.value)
    only_lama = tmp_path / "data"
    (only_lama / "wikitext-2-raw").mkdir(parents=True)
    (only_lama / "lama").symlink_to(data / "lama")
    for name in ("wiki.train.raw", "wiki.valid.raw"):
        (only_lama / "wikitext-2-raw" / name).symlink_to(data / "wikitext-2-raw" / name)
    with pytest.raises(BertnesiaError) as caught:
        run_study(StudyRun(read_study(PAPER), only_lama, tmp_path / "work", models))
    assert "squad/train-passages.txt, msmarco/passages.txt" in str(caught.value)
    assert str(only_lama) in str(caught.value)
    assert "google-bert" not in str(caught.value)
    assert not (tmp_path / "work").exists()


def test_a_checkpoint_is_found_by_the_last_part_of_its_name_too(models: Path, data: Path, tmp_path: Path) -> None:
    flat = tmp_path / "models"
    flat.mkdir()
    for place in models.glob("*/*"):
        (flat / place.name).symlink_to(place)
    run = StudyRun(read_study(PAPER), data, tmp_path / "work", flat)
    assert [Path(run.checkpoint(model)).name for model in run.spec.models[:5]] == [
        "bert-base-uncased",
        "bert-base-uncased-squad-v1",
        "bert-base-uncased-squad2",
        "bert-base-msmarco",
        "bert-base-NER-uncased",
    ]
    assert run.checkpoint(run.spec.models[5]) == str(tmp_path / "work/models/mlm-squad")
