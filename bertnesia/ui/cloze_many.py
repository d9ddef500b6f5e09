"""Many prompts at once on the Cloze page: pasted or uploaded, asked in the background, shown and downloaded."""

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from bertnesia.analysis.measures import wilson_interval
from bertnesia.errors import BertnesiaError
from bertnesia.figures.layers import by_layer
from bertnesia.listfiles import MOST_MEGABYTES, MOST_PROMPTS, ListedPrompt, read_csv, read_lines
from bertnesia.ui import cloze
from bertnesia.ui.cloze_controls import How
from bertnesia.ui.figures import Column, show_figure, show_table
from bertnesia.ui.glossary import GLOSSARY
from bertnesia.ui.jobs import note_click, show_job, was_clicked
from bertnesia.ui.messages import nothing_here, problem
from bertnesia.ui.models import Models

if TYPE_CHECKING:
    from bertnesia.live import LiveModels
    from bertnesia.live.jobs import Job
    from bertnesia.live.lists import ListResult

_RUN = "bertnesia.cloze.list"
EXAMPLE = "Paris is the capital of [MASK] .\tfrance\nBerlin is the capital of [MASK] .\tgermany"


@dataclass(frozen=True, slots=True)
class ListRun:
    """One list that was asked, and of which models."""

    job: "Job[ListResult]"
    models: tuple[str, ...]
    prompts: int


def choose_list() -> tuple[str, bytes | None, str]:
    """The pasted lines, and the uploaded file and its name."""
    left, right = st.columns([3, 2])
    with left:
        lines = st.text_area("Prompts, one a line", key="lines", height=180, placeholder=EXAMPLE, help=GLOSSARY["many"])
    with right:
        file = st.file_uploader(
            "Or a CSV file with the columns prompt, answer",
            type=["csv", "tsv"],
            key="list-file",
            max_upload_size=MOST_MEGABYTES,
            help=GLOSSARY["csv"],
        )
    return lines or "", file.getvalue() if file else None, file.name if file else ""


def show_many(live: "LiveModels", models: Models, how: How) -> None:
    """Ask a list of prompts and show what came of it; one list at a time for each visitor."""
    lines, content, name = choose_list()
    run: ListRun | None = st.session_state.get(_RUN)
    busy = run is not None and run.job.running
    st.button(
        "Ask all", type="primary", disabled=busy, icon=":material/play_arrow:", on_click=note_click, args=("ask all",)
    )
    if was_clicked("ask all") and not busy:
        try:
            prompts = read_lines(lines) if content is None else read_csv(content, name)
            run = st.session_state[_RUN] = _start(live, prompts, how)
        except BertnesiaError as error:
            problem("This list cannot be asked.", error)
            return
    if run is None:
        nothing_here(
            "Nothing has been asked yet.",
            f"Paste up to {MOST_PROMPTS:,} sentences with [MASK], one a line, or upload a CSV file, and press Ask all. "
            "All layers of the chosen models are asked, as when a study is probed.",
        )
        return
    if show_job(run.job, f"Asking {run.prompts:,} prompts") and run.job.result is not None:
        _show_result(run.job.result, models, run, how.layer)


def _start(live: "LiveModels", prompts: Sequence[ListedPrompt], how: How) -> ListRun:
    from bertnesia.live.jobs import Job  # noqa: PLC0415 - torch is loaded where it is needed only
    from bertnesia.live.lists import ask_list  # noqa: PLC0415

    return ListRun(
        Job(lambda job: ask_list(live, prompts, how.models, how.kind, how.k, job.step)), how.models, len(prompts)
    )


def _show_result(result: "ListResult", models: Models, run: ListRun, layer: int) -> None:
    answered = result.rows["number"].nunique() if len(result.rows) else 0
    st.text(f"{answered:,} of {run.prompts:,} prompts were answered, {len(result.problems):,} remarks.")
    if len(result.problems):
        with st.expander("What could not be asked or ranked", expanded=answered == 0):
            shown = result.problems.assign(label=result.problems["model"].map(models.label))
            columns = {
                "number": Column("Prompt", "count"),
                "prompt": Column("Sentence"),
                "label": Column("Model"),
                "problem": Column("Why"),
            }
            show_table(shown, columns, name="list-problems", alt="Prompts that could not be asked or ranked")
    if not answered:
        return
    rows = result.rows
    with st.container(horizontal=True):
        for name, mime, make in (
            ("CSV", "text/csv", lambda: rows.to_csv(index=False).encode()),
            ("Parquet", "application/vnd.apache.parquet", lambda: _parquet(rows)),
        ):
            st.download_button(
                f"Download all layers as {name}",
                make,  # made when it is asked for
                file_name=f"cloze-list.{name.lower()}",
                mime=mime,
                icon=":material/download:",
                key=f"list-{name}",
                on_click="ignore",
            )
    _show_shares(rows, models, run)
    _show_rows(rows, models, run, layer)


def _parquet(rows: pd.DataFrame) -> bytes:
    buffer = BytesIO()
    rows.to_parquet(buffer, index=False)
    return buffer.getvalue()


def _show_shares(rows: pd.DataFrame, models: Models, run: ListRun) -> None:
    """Of the prompts with a right answer, the share that each layer has first."""
    shares = cloze.shares_right(rows)
    if shares.empty:
        return
    low, high = wilson_interval(shares["correct"], shares["facts"])
    facts = int(shares["facts"].max())
    figure = by_layer(
        shares.assign(low=low, high=high),
        labels={name: models.label(name) for name in run.models},
        colours=models.colours,
        markers=models.markers,
        title="Right answers by layer",
        measure="P@1, share of right answers that come first",
        note=f"{facts:,} masks with a right answer of one token; bands are 95 % intervals",
    )
    ends = shares[shares["layer"] == shares["layer"].max()]
    said = "; ".join(f"{models.label(row.model)} {row.value:.1%}" for row in ends.itertuples())
    show_figure(figure, name="list-shares", alt=f"Right answers by layer, {facts:,} masks. At the last layer: {said}.")


def _show_rows(rows: pd.DataFrame, models: Models, run: ListRun, layer: int) -> None:
    """Every prompt with each model's first word and the answer's rank at one layer."""
    st.header(f"Answers at layer {layer}")
    wide = cloze.list_at_layer(rows, layer)
    columns = {
        "number": Column("Prompt", "count"),
        "prompt": Column("Sentence"),
        "mask": Column("Mask", "count"),
        "answer": Column("Right answer"),
    }
    for name in run.models:
        columns[f"{name} word_1"] = Column(f"{models.label(name)} says")
        columns[f"{name} probability_1"] = Column(f"{models.label(name)}: probability", "share")
        columns[f"{name} rank"] = Column(f"{models.label(name)}: rank of the answer", "count", GLOSSARY["rank"])
    found = {key: column for key, column in columns.items() if key in wide}
    show_table(wide, found, name="list-rows", alt=f"First word of every prompt at layer {layer}")
