"""Coverage: how often training texts mention a fact's subject and object in one passage."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from bertnesia.corpora import read_corpus
from bertnesia.finetuning.conll import read_conll
from bertnesia.finetuning.squad import read_squad
from bertnesia.finetuning.triples import read_triples
from bertnesia.probes.facts import Fact, ProbeSet
from bertnesia.probes.mentions import mentions_per_fact
from bertnesia.probing.run import Asked
from bertnesia.progress import working
from bertnesia.studies.run import StudyRun

Rows = list[dict[str, Any]]


def passages_of(path: Path, objective: str = "") -> list[str]:
    """The passages of a training file, each once.

    Paragraphs of SQuAD's JSON, passages of ranking triples (.tsv), sentences of CoNLL columns (.conll, or any file of
    the objective `ner`), and lines of any other text.

    Raises:
        BertnesiaError: if the file cannot be read.
    """
    suffix = path.suffix.lower()
    if suffix == ".json":
        texts: Iterable[str] = (question.context for question in read_squad([path]).questions)
    elif suffix == ".tsv":
        texts = (text for ranking in read_triples([path]) for text in (ranking.right, *ranking.others))
    elif objective == "ner" or suffix in {".conll", ".bio"}:
        texts = (" ".join(sentence.words) for sentence in read_conll([path]))
    else:
        texts = (passage.text for passage in read_corpus([path]).passages)
    return list(dict.fromkeys(texts))


def count_mentions(texts: Iterable[tuple[str, Sequence[str]]], facts: Sequence[Fact]) -> Rows:
    """A row for each text (its name and passages) and each fact that can be looked for.

    Returns:
        corpus, fact, mentions: how many passages name it.
    """
    rows: Rows = []
    for corpus, passages in texts:
        with working(f"Looking for {len(facts):,} facts in {len(passages):,} passages of {corpus}"):
            counts = mentions_per_fact(passages, facts)
        rows += [{"corpus": corpus, "fact": fact, "mentions": n} for fact, n in counts.items()]
    return rows


def coverage_rows(run: StudyRun, asked: Sequence[Asked]) -> Rows:
    """Coverage of the facts asked by those of the study's training files that are in the data folder."""
    tunings = [tuning for model in run.spec.models if (tuning := run.spec.finetuning(model))]
    objectives = {name: tuning.objective for tuning in tunings for name in tuning.data}
    there = [name for name in run.files_trained_on() if run.has_file(name)]
    facts = [fact for one in asked for fact in one.probe_set.facts]
    return count_mentions(((name, passages_of(run.file(name), objectives.get(name, ""))) for name in there), facts)


def mentions_table(texts: Iterable[tuple[str, Path]], probe_sets: Sequence[ProbeSet]) -> pd.DataFrame:
    """Mentions of every fact that can be looked for, by text.

    Returns:
        corpus, probe_set, relation, fact, subject, object, mentions.
    """
    facts = {fact.id: fact for probe_set in probe_sets for fact in probe_set.facts}
    rows = []
    for row in count_mentions(((name, passages_of(path)) for name, path in texts), list(facts.values())):
        fact = facts[row["fact"]]
        named = {"subject": fact.subject, "object": fact.object, "mentions": row["mentions"]}
        keys = {"corpus": row["corpus"], "probe_set": fact.probe_set, "relation": fact.relation}
        rows.append({**keys, "fact": fact.id, **named})
    columns = ["corpus", "probe_set", "relation", "fact", "subject", "object", "mentions"]
    return pd.DataFrame(rows, columns=columns)


def by_relation(mentions: pd.DataFrame) -> pd.DataFrame:
    """How many facts of each relation a text mentions: corpus, probe_set, relation, facts, mentioned, mentions."""
    grouped = mentions.assign(mentioned=mentions["mentions"] > 0).groupby(
        ["corpus", "probe_set", "relation"], sort=False
    )
    counts = grouped.agg(facts=("fact", "size"), mentioned=("mentioned", "sum"), mentions=("mentions", "sum"))
    return counts.reset_index()
