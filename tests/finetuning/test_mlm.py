"""Masking, decoding of hidden positions only, and the held-out scores."""

import math

import numpy as np
import pytest
import torch

from bertnesia.errors import BertnesiaError
from bertnesia.finetuning.mlm import IGNORED, MaskedLanguageModelling, MaskingTask, hiding_chances, masked_logits
from tests.finetuning.toys import CHUNKS, TOKENIZER, masked_lm


def within(count, trials, share, deviations=4.5):
    return abs(count - trials * share) <= deviations * math.sqrt(trials * share * (1 - share))


def masked_sample(only_mask_token):
    chunks = [CHUNKS[i % len(CHUNKS)] for i in range(4000)]
    batch = MaskingTask(TOKENIZER, 0.2, only_mask_token)(chunks, np.random.default_rng(0))
    original = torch.nn.utils.rnn.pad_sequence([torch.tensor(c) for c in chunks], batch_first=True)
    return batch, original


def test_a_fifth_is_hidden_and_of_that_eight_tenths_masked_one_replaced_one_kept():
    batch, original = masked_sample(only_mask_token=False)
    hidden = batch["labels"] != IGNORED
    free = ~torch.isin(original, torch.tensor(TOKENIZER.all_special_ids))
    shown, right = batch["input_ids"][hidden], original[hidden]
    masked, kept = (shown == TOKENIZER.mask_token_id).sum().item(), (shown == right).sum().item()
    count, lucky = len(shown), 0.1 / len(TOKENIZER)  # a random word may be the right one or the mask token

    assert within(int(hidden.sum()), int(free.sum()), 0.2)
    assert within(masked, count, 0.8 + lucky)
    assert within(kept, count, 0.1 + lucky)
    replaced = shown[(shown != TOKENIZER.mask_token_id) & (shown != right)]
    assert within(len(replaced), count, 0.1 - 2 * lucky)
    assert len(set(replaced.tolist())) > 0.9 * len(TOKENIZER)


def test_labels_stand_only_where_hidden_and_never_on_special_tokens_or_padding():
    batch, original = masked_sample(only_mask_token=False)
    hidden = batch["labels"] != IGNORED

    assert torch.equal(batch["labels"][hidden], original[hidden])
    assert torch.equal(batch["input_ids"][~hidden], original[~hidden])
    assert not torch.isin(original[hidden], torch.tensor(TOKENIZER.all_special_ids)).any()
    assert torch.equal(batch["attention_mask"] == 0, original == TOKENIZER.pad_token_id)


def test_only_the_mask_token_on_request():
    batch, _ = masked_sample(only_mask_token=True)

    assert (batch["input_ids"][batch["labels"] != IGNORED] == TOKENIZER.mask_token_id).all()


def test_every_batch_hides_a_token_and_the_same_seed_the_same_ones():
    task = MaskingTask(TOKENIZER, 1e-9)

    assert (task(CHUNKS[:2], np.random.default_rng(0))["labels"] != IGNORED).sum() == 1
    again = [MaskingTask(TOKENIZER, 0.3)(CHUNKS, np.random.default_rng(4)) for _ in range(2)]
    assert all(torch.equal(again[0][name], again[1][name]) for name in again[0])


def test_decoding_hidden_positions_equals_decoding_all_and_selecting():
    model = masked_lm()
    batch = MaskingTask(TOKENIZER, 0.3)(CHUNKS, np.random.default_rng(0))
    with torch.inference_mode():
        logits, labels = masked_logits(model, batch)
        everywhere = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits

    hidden = batch["labels"] != IGNORED
    assert torch.equal(labels, batch["labels"][hidden])
    torch.testing.assert_close(logits, everywhere[hidden], atol=1e-5, rtol=1e-5)


def test_the_loss_is_the_mean_over_hidden_tokens():
    model = masked_lm()
    objective = MaskedLanguageModelling(TOKENIZER, CHUNKS, CHUNKS[:5])
    batch = objective.batch(range(10), np.random.default_rng(0))
    inputs = {name: batch[name] for name in ("input_ids", "attention_mask")}
    with torch.inference_mode():
        expected = model(**inputs, labels=batch["labels"]).loss

        assert objective.loss(model, batch).item() == pytest.approx(expected.item(), abs=1e-5)


def test_held_out_scores_against_one_sentence_and_one_token_at_a_time():
    model = masked_lm().train()
    objective = MaskedLanguageModelling(TOKENIZER, CHUNKS, CHUNKS[:30], share=0.5, batch_tokens=64)
    losses, right = [], 0
    for batch in objective.validation_batches():
        for ids, attention, labels in zip(*(batch[k] for k in ("input_ids", "attention_mask", "labels")), strict=True):
            length = int(attention.sum())
            with torch.inference_mode():
                logits = model.eval()(input_ids=ids[None, :length]).logits[0].double()
            for position in range(length):
                if labels[position] != IGNORED:
                    probabilities = logits[position].exp() / logits[position].exp().sum()
                    losses.append(-math.log(probabilities[labels[position]]))
                    right += int(logits[position].argmax() == labels[position])
    model.train()
    scores = objective.evaluate(model)

    assert scores["tokens"] == len(losses)
    assert scores["loss"] == pytest.approx(sum(losses) / len(losses), abs=1e-4)
    assert scores["accuracy"] == pytest.approx(right / len(losses))
    assert scores == objective.evaluate(model)


def test_held_out_text_is_masked_at_fifteen_percent_whatever_the_training_share():
    objective = MaskedLanguageModelling(TOKENIZER, CHUNKS, CHUNKS * 20, share=0.5)
    batches = list(objective.validation_batches())
    hidden = sum(int((batch["labels"] != IGNORED).sum()) for batch in batches)
    free = 20 * sum(len(chunk) - 2 for chunk in CHUNKS)

    assert within(hidden, free, 0.15)


def test_rare_tokens_can_be_hidden_more_often():
    text = [[7, 7, 7, 7, 7, 7, 7, 8], [7, 7, 7, 7, 7, 7, 7, 7]]  # with one added to each: 16 of 7, 2 of 8, 1 of others
    chances = hiding_chances(text, vocabulary=10, share=0.1, favour_rare=1)
    even = hiding_chances(text, vocabulary=10, share=0.1, favour_rare=0)

    assert chances[8] / chances[7] == pytest.approx(16 / 2)
    assert (16 * chances[7] + 2 * chances[8] + chances[[0, 1, 2, 3, 4, 5, 6, 9]].sum()) / 26 == pytest.approx(0.1)
    assert even == pytest.approx(np.full(10, 0.1))
    assert hiding_chances(text, vocabulary=10, share=0.3, favour_rare=1).max() == 0.5


def test_training_text_is_hidden_by_these_chances():
    objective = MaskedLanguageModelling(TOKENIZER, CHUNKS * 60, CHUNKS[:2], share=0.2, favour_rare=0.5)
    batch = objective.batch(range(len(CHUNKS) * 60), np.random.default_rng(0))
    original = torch.nn.utils.rnn.pad_sequence([torch.tensor(c) for c in CHUNKS * 60], batch_first=True)
    hidden = batch["labels"] != IGNORED
    for word in ("is", "bexi"):
        here = original == TOKENIZER.convert_tokens_to_ids(word)
        chance = objective.mask.chances[TOKENIZER.convert_tokens_to_ids(word)]
        assert within(int((hidden & here).sum()), int(here.sum()), chance)

    common, rare = (objective.mask.chances[TOKENIZER.convert_tokens_to_ids(word)] for word in ("is", "bexi"))
    assert common < 0.2 < rare


def test_too_little_text_is_one_clear_sentence():
    with pytest.raises(BertnesiaError, match="text is too short"):
        MaskedLanguageModelling(TOKENIZER, CHUNKS, [])
