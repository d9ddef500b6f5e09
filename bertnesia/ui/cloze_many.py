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
from bertnesia.listfiles import MOST_MEGABYTES, MOST_PROMPTS, ListedPrompt, check_size, read_csv, read_lines
from bertnesia.ui import cloze
from bertnesia.ui.access import is_public
from bertnesia.ui.cloze_controls import How
from bertnesia.ui.figures import Column, show_figure, show_table
from bertnesia.ui.glossary import GLOSSARY
from bertnesia.ui.jobs import note_click, show_job, was_clicked
from bertnesia.ui.messages import nothing_here, problem
from bertnesia.ui.models import Models

if TYPE_CHECKING:
    from streamlit.runtime.uploaded_file_manager import UploadedFile

    from bertnesia.live import LiveModels
    from bertnesia.live.jobs import Job
    from bertnesia.live.lists import ListResult

_RUN = "bertnesia.cloze.list"
LARGEST_UPLOAD = 64
"""Megabytes that reach the server: more than are read, so that a file that is too large is refused in a sentence."""

EXAMPLE = "Paris is the capital of [MASK] .\tfrance\nBerlin is the capital of [MASK] .\tgermany"


@dataclass(frozen=True, slots=True)
class ListRun:
    """One list that was asked, and of which models."""

    job: "Job[ListResult]"
    models: tuple[str, ...]
    prompts: int


def choose_list() -> tuple[str, "UploadedFile | None"]:
    """The pasted lines, and the uploaded file; strangers can only paste."""
    if is_public():
        return _paste(), None
    left, right = st.columns([3, 2])
    with left:
        lines = _paste()
    with right:
        file = st.file_uploader(
            "Or a CSV file with the columns prompt, answer",
            type=["csv", "tsv"],
            key="list-file",
            max_upload_size=LARGEST_UPLOAD,
            help=GLOSSARY["csv"],
        )
        st.caption(f"At most {MOST_PROMPTS:,} rows and {MOST_MEGABYTES} MB.")
    return lines, file


def _paste() -> str:
    lines = st.text_area(
        "Prompts, one a line",
        key="lines",
        height=180,
        placeholder=EXAMPLE,
        help=GLOSSARY["many"],
        persist_state="session",
    )
    return lines or ""


def _read(lines: str, file: "UploadedFile | None") -> list[ListedPrompt]:
    return read_lines(lines) if file is None else read_csv(file.getvalue(), file.name)


def _fits(file: "UploadedFile | None") -> bool:
    """Whether a file is small enough to be read; says so where it is not, as long as it is there."""
    try:
        check_size(file.size if file else 0, file.name if file else "")
    except BertnesiaError as error:
        problem("This file is too large.", error)
        return False
    return True


def show_many(live: "LiveModels", models: Models, how: How) -> None:
    """Ask a list of prompts and show what came of it; one list at a time for each visitor."""
    lines, file = choose_list()
    run: ListRun | None = st.session_state.get(_RUN)
    busy = (run is not None and run.job.running) or not _fits(file)
    st.button(
        "Ask all", type="primary", disabled=busy, icon=":material/play_arrow:", on_click=note_click, args=("ask all",)
    )
    if was_clicked("ask all") and not busy:
        try:
            run = st.session_state[_RUN] = _start(live, _read(lines, file), how)
        except BertnesiaError as error:
            problem("This list cannot be asked.", error)
            if run is None:
                return
    if run is None:
        nothing_here(
            "Nothing has been asked yet.",
            f"Paste up to {MOST_PROMPTS:,} sentences with [MASK], one a line"
            f"{'' if is_public() else ', or upload a CSV file'}, and press Ask all. "
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
    remarks = _counted(len(result.problems), "remark")
    st.text(f"{answered:,} of {_counted(run.prompts, 'prompt')} answered, {remarks}.")
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


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


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
        note=f"{_counted(facts, 'mask')} with a right answer of one token; bands are 95 % intervals",
    )
    ends = shares[shares["layer"] == shares["layer"].max()]
    said = "; ".join(f"{models.label(row.model)} {row.value:.1%}" for row in ends.itertuples())
    alt = f"Right answers by layer, {_counted(facts, 'mask')}. At the last layer: {said}."
    show_figure(figure, name="list-shares", alt=alt)


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
