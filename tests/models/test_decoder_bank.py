"""When a head's training ends, and what is said of it."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from bertnesia.corpora import Corpus, read_corpus
from bertnesia.finetuning.trainer import Schedule
from bertnesia.models.decoder_bank import DecoderBank, still_improving
from bertnesia.models.decoder_objective import DecoderObjective
from bertnesia.models.decoder_training import DecoderTraining, train_decoders
from bertnesia.models.encoder import load_encoder, load_masked_lm, load_tokenizer
from bertnesia.models.heads import HeadWeights, head_weights
from bertnesia.models.weights import HeadWeights as Weights
from tests import tiny


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.save_masked_lm(tmp_path_factory.mktemp("model") / "tiny")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return read_corpus([tiny.write_text(tmp_path_factory.mktemp("text") / "text.txt")])


@pytest.fixture
def head() -> HeadWeights:
    return Weights(
        torch.eye(4), torch.zeros(4), torch.ones(4), torch.zeros(4), torch.randn(9, 4), torch.zeros(9), "gelu", 1e-5
    )


@pytest.mark.parametrize(
    ("losses", "improving"),
    [
        ([4.0, 3.0, 2.0], True),
        ([4.0, 2.0, 1.995, 1.991], False),  # 0.45 % in two evaluations
        ([4.0, 2.0, 1.995, 1.989], True),  # 0.55 %
        ([4.0, 2.0, 2.1], False),  # the best was before
        ([4.0, 3.0], True),
        ([4.0], False),
        ([], False),
    ],
)
def test_still_improving_by_hand(losses: list[float], improving: bool) -> None:
    assert still_improving(losses) is improving


def test_a_head_stops_for_itself_when_its_patience_is_over(head: HeadWeights) -> None:
    bank = DecoderBank([head, head], [1, 2])
    curves = [[5.0, 4.995, 4.99, 4.0], [5.0, 4.0, 3.0, 2.0]]
    stopped = []
    for losses in zip(*curves, strict=True):
        bank.step += 1
        bank.keep_better(losses, [0.0, 0.0], patience=2, min_delta=0.02)
        stopped.append([one.has_stopped(2) for one in bank.all_heads])
    assert stopped == [[False, False], [False, False], [True, False], [True, False]]
    first, second = bank.all_heads
    assert (float(first.best_loss), int(first.best_step)) == (pytest.approx(4.99), 3)  # the best until it stopped
    assert (float(second.best_loss), int(second.best_step)) == (2.0, 4)
    assert not bank.has_stopped(2)
    assert not bank.has_stopped(None)


def test_the_head_that_training_started_from_is_never_its_best(head: HeadWeights) -> None:
    bank = DecoderBank([head], [1])
    for loss in (3.0, 3.2, 3.1, 3.15):
        bank.keep_better([loss], [0.0], patience=None, min_delta=0.0)
        bank.step += 1
    (only,) = bank.all_heads
    assert (float(only.best_loss), int(only.best_step)) == (pytest.approx(3.1), 2)


def test_training_ends_when_every_layer_has_stopped(model: Path, corpus: Corpus, tmp_path: Path) -> None:
    schedule = Schedule(steps=50, evaluations=25, batch_sequences=8, learning_rate=1e-9, patience=3, min_delta=0.01)
    settings = DecoderTraining(decoder_share=0.6, validation_share=0.2, schedule=schedule)
    encoder, words = load_encoder(str(model)), load_tokenizer(str(model))
    stock = head_weights(load_masked_lm(str(model))[0])
    config = train_decoders(encoder, words, stock, corpus, [], tmp_path / "trained", settings)
    assert [entry["step"] for entry in config.history] == [0, 2, 4, 6]
    assert not any(record.still_improving for record in config.layers)


def test_a_layer_that_still_improves_is_said_so(model: Path, corpus: Corpus, tmp_path: Path) -> None:
    schedule = Schedule(steps=9, evaluations=3, batch_sequences=32, learning_rate=1e-2, decay="constant")
    settings = DecoderTraining(decoder_share=0.6, validation_share=0.2, schedule=schedule)
    encoder, words = load_encoder(str(model)), load_tokenizer(str(model))
    stock = head_weights(load_masked_lm(str(model))[0])
    config = train_decoders(encoder, words, stock, corpus, [], tmp_path / "trained", settings)
    for record in config.layers:
        curve = [entry[f"loss_{record.layer}"] for entry in config.history]
        expected = curve[-1] == min(curve) and (curve[-3] - curve[-1]) / curve[-3] > 0.005
        assert record.still_improving is expected is True


def test_bootstrap_weights_are_each_heads_own_and_the_same_again(model: Path, head: HeadWeights) -> None:
    objective = DecoderObjective(load_encoder(str(model)), _Text(), Schedule(seed=7), bootstrap=[1, 2])
    bank = DecoderBank([head, head], [3, 3])
    bank.step += 5
    logits, labels = torch.randn(2000, 9), torch.randint(0, 9, (2000,))
    one, same, other = (float(objective._weighted(i, bank, logits, labels)) for i in (0, 0, 1))
    plain = float(torch.nn.functional.cross_entropy(logits, labels))
    assert one == same != other
    assert one == pytest.approx(plain, rel=5 / math.sqrt(2000))  # of mean 1 and variance 1
    weights = np.random.default_rng((7, 2, 5)).exponential(size=2000)
    each = torch.nn.functional.cross_entropy(logits, labels, reduction="none").numpy()
    assert other == pytest.approx(float((weights * each).mean()), rel=1e-5)


class _Text:
    lengths = (1,)
