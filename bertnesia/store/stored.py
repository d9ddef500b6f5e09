"""What a study holds, row by row, to be compared with the models, decoders and probe files that it was made from."""

from collections.abc import Sequence
from functools import cache
from importlib import resources

import pandas as pd

from bertnesia.store.study import Study


def stored_models(study: Study) -> pd.DataFrame:
    """The models whose weights ship: the columns of the table `models`."""
    return study.query(_sql("stored_models"))


def stored_decoders(study: Study, model: str) -> pd.DataFrame:
    """A model's decoders: kind, seed, layer, hash."""
    return study.query(_sql("stored_decoders"), {"model": model})


def stored_probe_sets(study: Study) -> pd.DataFrame:
    """The probe sets that have facts: probe_set, files (SHA-256 by file name, as JSON)."""
    return study.query(_sql("stored_probe_sets"))


def stored_facts(study: Study) -> pd.DataFrame:
    """Every fact: fact, probe_set, prompt, eligible."""
    return study.query(_sql("stored_facts"))


def stored_ranks(study: Study, model: str, kinds: Sequence[str], facts: Sequence[int]) -> pd.DataFrame:
    """A model's ranks of some facts with decoders of seed 0: kind, variant, layer, fact, ranks and log_probability."""
    return study.query(_sql("stored_ranks"), {"model": model, "kinds": list(kinds), "facts": list(facts)})


@cache
def _sql(name: str) -> str:
    return (resources.files("bertnesia.store") / "sql" / f"{name}.sql").read_text(encoding="utf-8")
