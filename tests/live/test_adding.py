"""Models beside those of a study: with their own head or the base's, and decoders trained while one looks on."""

import time
from functools import partial
from pathlib import Path

import pytest
import torch
from transformers import BertConfig, BertForQuestionAnswering

from bertnesia.errors import BertnesiaError
from bertnesia.live import Checkpoint, LiveModels
from bertnesia.live.adding import Added, add_model, train_for
from bertnesia.live.jobs import Job
from bertnesia.live.service import Workshop
from bertnesia.models.decoders import read_decoder_config
from bertnesia.probes.facts import Fact
from bertnesia.progress import progress_bar, told_to, working
from tests import tiny

PROMPT = "anna was born in [MASK] ."


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.save_masked_lm(tmp_path_factory.mktemp("base") / "base")


@pytest.fixture
def live(base: Path) -> LiveModels:
    return LiveModels({"base": Checkpoint(str(base))}, Workshop())


def question_answerer(base: Path, folder: Path) -> Path:
    """A sibling without a masked-language-model head."""
    torch.manual_seed(3)
    model = BertForQuestionAnswering(BertConfig.from_pretrained(base))
    model.save_pretrained(folder)
    tiny.tokenizer().save_pretrained(folder)
    return folder


def test_a_model_with_a_head_is_decoded_with_it(live: LiveModels, tmp_path: Path) -> None:
    folder = tiny.save_masked_lm(tmp_path / "mine", seed=7, layers=2)
    added = add_model(live, f" {folder} ", "base")
    assert (added.name, added.layers, added.kinds) == ("mine", 2, ("stock",))
    assert added.checkpoint.base is None
    both = live.with_models({added.name: added.checkpoint})
    assert [one.model for one in both.predict(PROMPT, ["base", "mine"], "stock")] == ["base", "mine"]
    assert both.workshop is live.workshop, "the same queue and models for all"


def test_a_model_without_a_head_borrows_the_bases(live: LiveModels, base: Path, tmp_path: Path) -> None:
    folder = question_answerer(base, tmp_path / "qa")
    added = add_model(live, str(folder), "base")
    assert added.checkpoint.base == str(base)
    with pytest.raises(BertnesiaError, match="has no masked-language-model head"):
        add_model(LiveModels({}, live.workshop), str(folder), "base")


def test_names_do_not_collide(live: LiveModels, tmp_path: Path) -> None:
    folder = tiny.save_masked_lm(tmp_path / "base", seed=9, layers=2)
    added = add_model(live, str(folder), "base")
    assert added.name == "base (2)"
    again = add_model(live.with_models({added.name: added.checkpoint}), str(folder), "base")
    assert again.name == "base (3)"


@pytest.mark.parametrize(
    ("place", "sentence"),
    [
        ("", "Name a model's folder or its hub name"),
        ("a\x00b", "Name a model's folder or its hub name"),
        ("./nowhere/at/all", "There is no model folder"),
    ],
)
def test_what_is_no_model_is_told_in_a_sentence(live: LiveModels, place: str, sentence: str) -> None:
    with pytest.raises(BertnesiaError, match=sentence):
        add_model(live, place, "base")


def test_another_vocabulary_cannot_borrow_a_head(live: LiveModels, base: Path, tmp_path: Path) -> None:
    folder = question_answerer(base, tmp_path / "other")
    words = {word: i for i, word in enumerate([*tiny.vocabulary(), "extra", "words", "here"])}
    type(tiny.tokenizer())(words, do_lower_case=True).save_pretrained(folder)
    with pytest.raises(BertnesiaError, match="base"):
        add_model(live, str(folder), "base")


def train(added: Added, text: bytes, facts: list[Fact], steps: int = 3) -> Job[object]:
    job: Job[object] = Job(partial(train_for, added, text, facts, steps))
    notes = []
    while job.running:
        job.look()
        notes.append((job.done, job.total, job.note))
        time.sleep(0.01)
    assert job.failure is not None or notes
    return job


def test_decoders_are_trained_while_one_looks_on(live: LiveModels, tmp_path: Path) -> None:
    text = tiny.write_text(tmp_path / "text.txt").read_bytes()
    folder = tiny.save_masked_lm(tmp_path / "mine", seed=7, layers=2)
    added = add_model(live, str(folder), "base")
    left_out = Fact("toy", "P19", "anna", "arlo")
    job = train(added, text, [left_out])
    assert job.failure is None
    assert (job.done, job.total) == (3, 3)
    assert "Training decoders" in job.note
    config = read_decoder_config(folder / "decoders" / "trained")
    assert len(config.layers) == 2
    assert config.passages_left_out > 0
    assert added.kinds == ("trained", "stock", "base")
    both = live.with_models({added.name: added.checkpoint})
    (result,) = both.predict(PROMPT, ["mine"], "trained")
    assert result.kind == "trained"
    assert not list(folder.glob(".*")), "nothing is left behind"
    again = train(added, text, [left_out])
    assert isinstance(again.failure, BertnesiaError)
    assert "already exists: delete it to train decoders anew" in str(again.failure)


def test_training_can_be_cancelled(live: LiveModels, tmp_path: Path) -> None:
    text = tiny.write_text(tmp_path / "text.txt").read_bytes()
    added = add_model(live, str(tiny.save_masked_lm(tmp_path / "mine", seed=7, layers=2)), "base")
    job: Job[object] = Job(partial(train_for, added, text, [], 100_000))
    while job.done < 1 and job.running:
        job.look()
        time.sleep(0.01)
    assert job.running
    job.cancel()
    job.wait(60)
    assert not job.running
    assert job.cancelled
    assert job.result is None
    assert job.failure is None
    assert "trained" not in added.kinds
    assert train(added, text, []).failure is None, "what was cancelled is not in the way"


def test_too_little_text_is_told_in_a_sentence(live: LiveModels, tmp_path: Path) -> None:
    added = add_model(live, str(tiny.save_masked_lm(tmp_path / "mine", seed=7, layers=2)), "base")
    for text in (b"", b"\xff\xfe"):
        assert isinstance(train(added, text, []).failure, BertnesiaError)


def test_a_listener_hears_what_a_bar_would_show() -> None:
    heard: list[tuple[str, float, float, str]] = []
    with (
        told_to(lambda *all_of_it: heard.append(all_of_it)),
        working("Reading"),
        progress_bar("Counting", 4, 1) as advance,
    ):
        advance()
        advance(2, "nearly")
    assert heard == [("Reading", 0, 0, ""), ("Counting", 2, 4, ""), ("Counting", 4, 4, "nearly")]


def test_a_listener_can_end_the_work() -> None:
    def stop(*_: object) -> None:
        raise KeyError("enough")

    steps = []
    with pytest.raises(KeyError, match="enough"), told_to(stop), progress_bar("Counting", 4) as advance:
        steps.append(1)
        advance()
        steps.append(2)
    assert steps == [1]
