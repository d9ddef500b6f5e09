"""A tiny world to study in seconds: text, questions and facts about made-up towns, and small BERTs that read them."""

import json
from pathlib import Path

import torch
from transformers import BertConfig, BertForMaskedLM, BertTokenizer

TOWNS = ["arlo", "bexi", "cumo", "dalu", "elba", "fino", "gora", "hixa", "ivor", "juno", "kelo", "lima"]
LANDS = ["norland", "sudland", "westland", "eastland"]
PEOPLE = ["anna", "bert", "carl", "dora", "emil", "fred", "gina", "hans"]
WORDS = ["is", "the", "capital", "town", "of", "in", "was", "born", "lives", "a", ".", "?", ",", "where", "who", "and"]


def land_of(town: str) -> str:
    return LANDS[TOWNS.index(town) % len(LANDS)]


def town_of(person: str) -> str:
    return TOWNS[PEOPLE.index(person) % len(TOWNS)]


def vocabulary() -> list[str]:
    letters = [chr(code) for code in range(ord("a"), ord("z") + 1)]
    specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    return [*specials, *letters, *(f"##{letter}" for letter in letters), *WORDS[:-4], ".", *TOWNS, *LANDS, *PEOPLE]


def tokenizer() -> BertTokenizer:
    words = list(dict.fromkeys([*vocabulary(), *WORDS]))
    return BertTokenizer({word: i for i, word in enumerate(words)}, do_lower_case=True, model_max_length=64)


def save_masked_lm(folder: Path, seed: int = 0, layers: int = 3, hidden: int = 32) -> Path:
    """A randomly initialised BertForMaskedLM in the hub's format; its scores are spread out enough to rank."""
    torch.manual_seed(seed)
    words = tokenizer()
    config = BertConfig(
        vocab_size=len(words),
        hidden_size=hidden,
        num_hidden_layers=layers,
        num_attention_heads=4,
        intermediate_size=2 * hidden,
        max_position_embeddings=64,
        initializer_range=0.2,
        pad_token_id=words.pad_token_id,
    )
    model = BertForMaskedLM(config)
    torch.nn.init.normal_(model.cls.predictions.bias, std=0.5)
    model.save_pretrained(folder)
    words.save_pretrained(folder)
    return folder


def write_text(path: Path) -> Path:
    """Sentences about towns and people, each a few times in other words."""
    lines = []
    for round_ in range(6):
        lines += [f"{town} is a town in {land_of(town)} , {LANDS[round_ % 4]} and {TOWNS[round_]} ." for town in TOWNS]
        lines += [f"{person} lives in {town_of(person)} and {TOWNS[round_]} ." for person in PEOPLE]
        lines += [f"{person} and {PEOPLE[round_]} was born in the town ." for person in PEOPLE]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def write_squad(path: Path) -> Path:
    """A question a person, an article a person, in SQuAD's format."""
    articles = []
    for person in PEOPLE:
        context = f"{person} was born in {town_of(person)} ."
        answer = {"text": town_of(person), "answer_start": context.index(town_of(person))}
        question = {"id": person, "question": f"where was {person} born ?", "answers": [answer], "is_impossible": False}
        articles.append({"title": person, "paragraphs": [{"context": context, "qas": [question]}]})
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"version": "toy", "data": articles}), encoding="utf-8")
    return path


def write_lama(folder: Path) -> Path:
    """Two relations in T-REx's layout: P1 town in land, P19 person born in town."""
    (folder / "TREx").mkdir(parents=True)
    relations = [
        {"relation": "P1", "template": "[X] is a town in [Y] .", "label": "land", "description": "", "type": "N-1"},
        {"relation": "P19", "template": "[X] was born in [Y] .", "label": "born", "description": "", "type": "N-1"},
    ]
    _write_lines(folder / "relations.jsonl", relations)
    pairs = {"P1": [(town, land_of(town)) for town in TOWNS], "P19": [(p, town_of(p)) for p in PEOPLE]}
    for relation, facts in pairs.items():
        rows = [
            {"uuid": f"{relation}-{s}", "sub_label": s, "obj_label": o, "predicate_id": relation, "evidences": []}
            for s, o in facts
        ]
        _write_lines(folder / "TREx" / f"{relation}.jsonl", rows)
    return folder


def _write_lines(path: Path, rows: list[dict[str, object]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
