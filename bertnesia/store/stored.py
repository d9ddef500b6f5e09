"""What a study holds, row by row, to be compared with the models, decoders and probe files that it was made from."""

from collections.abc import Sequence
from typing import Literal

import pandas as pd

from bertnesia.store.queries.questions import answer
from bertnesia.store.study import Study

Table = Literal["models", "decoders", "ranks", "predictions", "training"]


def stored_models(study: Study) -> pd.DataFrame:
    """The models whose weights ship: the columns of the table `models`."""
    return answer(study, "stored_models")


def stored_decoders(study: Study, model: str) -> pd.DataFrame:
    """A model's decoders: kind, seed, layer, hash."""
    return answer(study, "stored_decoders", given={"model": model})


def stored_probe_sets(study: Study) -> pd.DataFrame:
    """The probe sets that have facts: probe_set, files (SHA-256 by file name, as JSON)."""
    return answer(study, "stored_probe_sets")


def stored_facts(study: Study) -> pd.DataFrame:
    """Every fact: fact, probe_set, prompt, eligible."""
    return answer(study, "stored_facts")


def stored_ranks(study: Study, model: str, kinds: Sequence[str], facts: Sequence[int]) -> pd.DataFrame:
    """A model's ranks of some facts with decoders of seed 0: kind, variant, layer, fact, ranks and log_probability."""
    return answer(study, "stored_ranks", given={"model": model, "kinds": list(kinds), "facts": list(facts)})


def stored_rows(study: Study, table: Table, models: Sequence[str]) -> pd.DataFrame:
    """Everything that a table holds of some models."""
    if table == "models":
        return study.models().query("model in @models")
    of_facts = f"_{table}" if table in {"ranks", "predictions"} else ""
    return answer(study, f"stored_rows{of_facts}", given={"table": table, "models": list(models)})
