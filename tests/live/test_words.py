"""Typed words as each kind of tokenizer reads them in a mask's place."""

from pathlib import Path

import pytest

from bertnesia.cloze import Cloze
from bertnesia.live import Checkpoint, LiveModels, Request
from bertnesia.live.service import Workshop
from bertnesia.live.words import Reader
from bertnesia.models.encoder import load_tokenizer
from tests import tiny
from tests.models import zoo

PROMPT = "anna was born in [MASK] ."


@pytest.fixture(scope="module", params=["roberta", "xlm-roberta", "modernbert", "deberta-new-head", "albert"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return zoo.save(tmp_path_factory.mktemp("zoo") / request.param, zoo.KINDS[request.param])


def test_other_tokenizers_words_are_found_and_written_for_people(folder: Path) -> None:
    """A word is the token that stands in running text, and no space's mark is shown."""
    live = LiveModels({"model": Checkpoint(str(folder))}, Workshop())
    words = tuple(tiny.TOWNS[:3])
    (result,) = live.ask(Request(PROMPT, ("model",), "stock", 8, words, (tiny.TOWNS[3],))).results
    assert result.unranked == ()
    assert [one.token for one in result.layers[0].watched] == list(words)
    assert result.layers[0].answer is not None
    assert result.layers[0].answer.token == tiny.TOWNS[3]
    shown = [token for layer in result.layers for token in layer.tokens]
    assert not any("Ġ" in token or "▁" in token for token in shown)
    alone = Cloze(folder).ranks(PROMPT, list(words))
    for place, word in enumerate(words):
        ranks = alone.loc[alone["word"] == word, "rank"].tolist()
        assert [layer.watched[place].rank for layer in result.layers] == ranks


def test_every_mask_is_found_whatever_it_is_called(folder: Path) -> None:
    tokenizer = load_tokenizer(str(folder))
    reader = Reader(tokenizer)
    for prompt in ("[MASK] lives in <mask> and ___ .", "[mask] lives in [MASK] and [MASK] ."):
        encoded = reader.prompt(prompt, 40)
        assert [encoded.ids[place] for place in encoded.masks] == [tokenizer.mask_token_id] * 3
    (second,) = reader.tokens(["arlo"], 1, encoded)
    assert isinstance(second, int)
    filled = reader.prompt("[MASK] lives in arlo and [MASK] .", 40)
    assert [*encoded.ids[: encoded.masks[1]], second, *encoded.ids[encoded.masks[1] + 1 :]] == list(filled.ids)
