"""Every objective from data files to a saved model, on the tiny world."""

import json
import re
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForMaskedLM, AutoModelForQuestionAnswering, AutoModelForTokenClassification

from bertnesia.corpora import position_of, read_corpus, split_corpus
from bertnesia.errors import BertnesiaError
from bertnesia.finetuning.finetune import finetune
from bertnesia.finetuning.registry import find_objective, objective_names, register_objective
from bertnesia.finetuning.settings import Finetuning
from bertnesia.finetuning.trainer import Schedule
from tests import tiny

SETTINGS = Finetuning(
    max_tokens=48,
    stride=4,
    epochs=None,
    schedule=Schedule(steps=60, batch_tokens=600, learning_rate=3e-3, evaluations=1),
)
TOKENIZER = tiny.tokenizer()


def write_squad(path: Path) -> Path:
    """An article a person, a paragraph a town: where does the person live? The answers stand early or late."""
    articles = []
    for person in tiny.PEOPLE:
        paragraphs = []
        for i, town in enumerate(tiny.TOWNS[:6]):
            context = f"{person} lives in {town} ." if i % 2 else f"{town} , {tiny.land_of(town)} , is of {person} ."
            answer = {"text": town, "answer_start": context.index(town)}
            question = {"id": f"{person} {town}", "question": f"the town of {person} , {i} ?", "answers": [answer]}
            vain = {"id": f"v {person} {town}", "question": "who ?", "answers": [], "is_impossible": True}
            paragraphs.append({"context": context, "qas": [question, vain]})
        articles.append({"title": person, "paragraphs": paragraphs})
    path.write_text(json.dumps({"data": articles}), encoding="utf-8")
    return path


def write_conll(path: Path) -> Path:
    lines = []
    for person in tiny.PEOPLE:
        for town in tiny.TOWNS:
            lines += [f"{person} B-person", "lives O", "in O", f"{town} B-town", ". O", ""]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def write_triples(path: Path) -> Path:
    """The right passages are about towns, the wrong ones about persons."""
    lines = [
        f"who lives in {town} ?\t{other} is a town .\t{person} lives in {town} ."
        for town in tiny.TOWNS
        for person, other in zip(tiny.PEOPLE[:3], tiny.TOWNS[:3], strict=True)
    ]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return tiny.save_masked_lm(tmp_path_factory.mktemp("models") / "base", layers=2)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    return {
        "squad": write_squad(folder / "squad.json"),
        "conll": write_conll(folder / "towns.conll"),
        "triples": write_triples(folder / "triples.tsv"),
        "text": tiny.write_text(folder / "towns.txt"),
    }


@pytest.mark.parametrize(
    ("objective", "file", "score", "low", "high", "auto", "head"),
    [
        ("qa", "squad", "answerable_f1", 0.4, 0.8, AutoModelForQuestionAnswering, 2 * 33),
        ("ranking", "triples", "mrr@10", 0.7, 0.95, AutoModelForTokenClassification, 33),
        ("ner", "conll", "f1", 0.4, 0.95, AutoModelForTokenClassification, 5 * 33),
        ("mlm", "text", "accuracy", 0.1, 0.3, AutoModelForMaskedLM, None),
        ("mlm", "squad", "accuracy", 0.2, 0.35, AutoModelForMaskedLM, None),
    ],
)
def test_every_objective_learns_its_task(tmp_path, base, files, objective, file, score, low, high, auto, head):
    provenance = finetune(objective, str(base), [files[file]], tmp_path / "out", SETTINGS)
    before, *_, after = provenance["history"]
    model, info = auto.from_pretrained(tmp_path / "out", output_loading_info=True)
    encoder = {name for name in load_file(base / "model.safetensors") if name.startswith("bert.")}
    saved = load_file(tmp_path / "out" / "model.safetensors")

    assert before[score] <= low
    assert after[score] >= high
    assert not info["missing_keys"]
    assert not info["unexpected_keys"]
    assert encoder < set(saved)
    assert {tensor.dtype for tensor in saved.values()} == {torch.float16}
    assert head is None or provenance["head_parameters"] == head
    assert model.config.hidden_size == 32


def test_labels_of_ner_are_saved(tmp_path, base, files):
    settings = SETTINGS.model_copy(update={"schedule": SETTINGS.schedule.model_copy(update={"steps": 1})})
    finetune("ner", str(base), [files["conll"]], tmp_path / "out", settings)
    config = AutoModelForTokenClassification.from_pretrained(tmp_path / "out").config

    assert config.id2label == {0: "O", 1: "B-person", 2: "I-person", 3: "B-town", 4: "I-town"}
    assert config.label2id["B-town"] == 3


def test_a_base_with_another_tasks_head_will_do(tmp_path, base, files):
    settings = SETTINGS.model_copy(update={"schedule": SETTINGS.schedule.model_copy(update={"steps": 1})})
    finetune("ranking", str(base), [files["triples"]], tmp_path / "ranking", settings)
    provenance = finetune("qa", str(tmp_path / "ranking"), [files["squad"]], tmp_path / "qa", settings)

    assert provenance["base_head"] is None
    assert provenance["head_parameters"] == 2 * 33


def test_sham_answers_teach_the_same_updates_without_the_task(tmp_path, base, files):
    real, sham = (finetune(name, str(base), [files["squad"]], tmp_path / name, SETTINGS) for name in ("qa", "sham-qa"))

    for same in ("steps", "training_examples", "training_tokens", "head_parameters"):
        assert real[same] == sham[same]
    assert real["history"][-1]["answerable_f1"] > 0.9
    assert sham["history"][-1]["answerable_f1"] < 0.7  # half of the answers open their passage, and so do half of these


def prepared(objective, file, files, **changes):
    return find_objective(objective)(TOKENIZER, [files[file]], SETTINGS.model_copy(update=changes)).objective


def texts(chunks):
    return [TOKENIZER.decode(ids, skip_special_tokens=True) for ids in chunks]


@pytest.mark.parametrize("answerable_only", [False, True])
def test_the_squad_objectives_share_their_passages(files, answerable_only):
    changes = {"share": 0.3, "answerable_only": answerable_only}
    mlm, qa, ranking = (prepared(name, "squad", files, **changes) for name in ("mlm", "qa", "ranking"))

    def passages(pairs):
        return {TOKENIZER.decode(ids).split(" [SEP] ")[1].removesuffix(" [SEP]") for ids in pairs}

    asked = passages(window.ids for window in qa.train)
    assert asked == set(texts(mlm.train))
    assert asked == passages(pairs[0].ids for pairs in ranking.train)
    assert asked >= passages(pair.ids for pairs in ranking.train for pair in pairs)
    # Two articles of eight are held out; a share of 0.3 of the others' 36 paragraphs is 11.
    assert len(asked) == 11
    assert len(qa.train) == len(ranking.train) == (11 if answerable_only else 22)


def test_ranked_are_the_paragraphs_of_the_article(files):
    ranking = prepared("ranking", "squad", files, answerable_only=True, candidates=20)
    contexts = [[TOKENIZER.decode(pair.ids).split(" [SEP] ")[1] for pair in pairs] for pairs in ranking.held_out]

    assert all(len(set(passages)) == 6 for passages in contexts)
    for passages in contexts:
        (person,) = set(re.findall(r"\w+", passages[0])) & set(tiny.PEOPLE)
        assert all(person in passage for passage in passages)


@pytest.mark.parametrize(("objective", "file"), [("qa", "squad"), ("mlm", "text"), ("ner", "conll"), ("mlm", "squad")])
def test_shares_lie_in_each_other_and_leave_what_is_held_out(files, objective, file):
    def examples(share):
        task = prepared(objective, file, files, share=share)
        held_out = task.validation if objective == "mlm" else task.held_out
        return [one if objective == "mlm" else one.ids for one in task.train], held_out

    shares = [examples(share) for share in (0.1, 0.3, 1.0)]
    sizes = [len(train) for train, _ in shares]

    assert 0 < sizes[0] < sizes[1] < sizes[2]
    assert sizes[1] / sizes[2] == pytest.approx(0.3, abs=0.06)
    for (small, held_out), (large, same) in pairwise(shares):
        assert held_out == same
        assert all(one in large for one in small)
    assert shares[0] == examples(0.1)


@pytest.mark.parametrize("length", [{"epochs": 2.0}, {"epochs": None, "steps": 4}])
def test_a_share_takes_as_many_epochs_or_as_many_steps(tmp_path, base, files, length):
    schedule = SETTINGS.schedule.model_copy(update={"steps": length.get("steps", 999)})
    settings = SETTINGS.model_copy(update={"epochs": length["epochs"], "schedule": schedule})
    steps = {
        (share, matched): finetune(
            "qa",
            str(base),
            [files["squad"]],
            tmp_path / f"{share} {matched}",
            settings.model_copy(update={"share": share, "matched": matched}),
        )["steps"]
        for share, matched in [(1.0, "epochs"), (0.3, "epochs"), (0.3, "steps"), (1.0, "steps")]
    }

    # 72 questions of about 15 tokens in batches of 600; of 36 paragraphs 11 are 22 questions.
    assert steps[1.0, "epochs"] == steps[1.0, "steps"] == steps[0.3, "steps"] == 4
    assert steps[0.3, "epochs"] == 2


def test_a_study_file_gives_steps_in_place_of_epochs():
    assert Finetuning.model_validate({"schedule": {"steps": 40}}).epochs is None
    assert Finetuning.model_validate({"schedule": {"steps": 40}, "epochs": 3}).epochs == 3
    assert Finetuning.model_validate({"schedule": {"learning_rate": 1e-3}}).epochs == 2


def test_plain_text_trains_on_what_a_base_trains_on(files):
    passages = read_corpus([files["text"]]).passages
    task = prepared("mlm", "text", files)
    split = split_corpus(passages, decoder=0.12, validation=0.03)
    words = [TOKENIZER(passage.text)["input_ids"] for passage in split.base]

    assert task.train == words
    assert all(position_of(p.group) < 0.15 for p in passages if TOKENIZER(p.text)["input_ids"] in task.validation)


def test_documents_stay_on_one_side(tmp_path):
    path = tmp_path / "docs.conll"
    lines = []
    for document in range(10):
        lines += ["-DOCSTART- O", ""]
        for town in tiny.TOWNS[:4]:
            lines += [f"{tiny.PEOPLE[document % 8]} B-person", f"{town} O", "is O", ""]
    path.write_text("\n".join(lines))
    task = find_objective("ner")(TOKENIZER, [path], SETTINGS).objective

    assert len(task.held_out) == 2 * 4  # 0.15 of ten documents, rounded up, of four sentences each
    assert len(task.train) == 8 * 4
    assert len({sentence.document for sentence in task.held_out}) == 2


def test_bad_data_is_told_in_a_sentence(tmp_path, base, files):
    def refused(objective, sentence, *data, **changes):
        with pytest.raises(BertnesiaError, match=sentence):
            finetune(objective, str(base), data, tmp_path / "out", SETTINGS.model_copy(update=changes))
        assert not (tmp_path / "out").exists()

    refused("mlm", "cannot be mixed", files["squad"], files["text"])
    refused("ner", r"squad.json, line 1: expected a word and a tag", files["squad"])
    refused("ranking", "found 1 columns", files["text"])
    refused("qa", "is not valid JSON", files["text"])
    (tmp_path / "one.conll").write_text("anna B-person\n")
    refused("ner", "At least two documents are needed", tmp_path / "one.conll")
    (tmp_path / "one.txt").write_text("anna lives in arlo .\n")
    refused("mlm", "text is too short", tmp_path / "one.txt")
    refused("mlm", "Cannot read", tmp_path / "none.txt")


def test_objectives_register_once():
    assert objective_names() == ["mlm", "ner", "qa", "ranking", "sham-qa"]
    with pytest.raises(ValueError, match="registered already"):
        register_objective("qa", find_objective("qa"))
