"""Models: where each comes from, how good its decoders are, how training went, and how to add another."""

import streamlit as st

from bertnesia.figures.models import decoder_quality, training_curve
from bertnesia.store import browsing, queries
from bertnesia.store.study import Study
from bertnesia.ui import controls
from bertnesia.ui.figures import Column, show_figure, show_table
from bertnesia.ui.glossary import GLOSSARY
from bertnesia.ui.messages import nothing_here
from bertnesia.ui.models import Models, models_of
from bertnesia.ui.routing import guard
from bertnesia.ui.scores import QUALITY, SHARES, SIZES, score_name, scores_text, short_name
from bertnesia.ui.study import ask, current_study

READING_QUALITY = (
    "Each point is one layer's decoder, tested on masked words of held-out text that no decoder was trained on. It is "
    "the ruler that ranks are measured with: where a decoder is poor, a fact may be there and not be read."
)
READING_TRAINING = (
    "A score on held-out data as training went on. A line that still moves at its end means that training stopped "
    "before it was done."
)
ADDING = """
A model is a folder in Hugging Face's format (`config.json`, a tokenizer, `model.safetensors`).

1. Probe it beside its base, with the base's head at every layer (quick):

   ```sh
   bertnesia probe BASE YOUR-MODEL --probes atlas
   ```

2. Train a decoder for every layer, and probe again:

   ```sh
   bertnesia train-decoders YOUR-MODEL your-text.txt --base BASE
   ```

3. Or describe the whole study, training included, in one file like `studies/mini.toml`, and run it:

   ```sh
   bertnesia run studies/yours.toml --data DATA
   ```

4. Open what came out: `bertnesia app runs/yours/yours.duckdb`, or put the file into `precomputed/` and choose it in the
   sidebar.

`bertnesia COMMAND --help` explains every option.
"""


def show_provenance(study: Study) -> None:
    """One row per model, and everything that is known of each."""
    table = (
        ask(study, queries.models).query("role == 'model'").assign(scores=lambda rows: rows["scores"].map(scores_text))
    )
    columns = {
        "label": Column("Model"),
        "base": Column("Made from"),
        "objective": Column("Objective", help=GLOSSARY["objective"]),
        "training_data": Column("Training data"),
        "scores": Column("Held-out scores"),
        "architecture": Column("Architecture"),
        "layers": Column("Layers", "count"),
        "hidden_size": Column("Width", "count"),
        "vocabulary_size": Column("Vocabulary", "count"),
        "parameters": Column("Parameters", "count"),
        "encoder_hash": Column("Encoder's hash", help=GLOSSARY["hash"]),
        "folder": Column("Folder or hub name"),
    }
    show_table(table, columns, name="models", alt="Provenance of the models")


def show_quality(study: Study, models: Models) -> None:
    """Validation loss or accuracy of each layer's decoder."""
    st.header("Decoders")
    table = ask(study, queries.decoders)
    table = table[table["model"].isin(models.names) & (table["seed"] == 0)]
    if table.empty:
        nothing_here(
            "This study names no decoders.", "`bertnesia train-decoders` trains one for every layer of a model."
        )
        return
    row = st.container(horizontal=True, vertical_alignment="bottom", gap="medium")
    with row:
        score = controls.segments("Score", list(QUALITY), key="score")
        kinds = sorted(table["kind"].unique(), key=lambda kind: (kind != "trained", kind))
        kind = controls.choose_decoder([*kinds, "all"] if len(kinds) > 1 else kinds)
    rows = table if kind == "all" else table[table["kind"] == kind]
    rows = rows.assign(value=rows[score], label=rows["model"].map(models.labels)).dropna(subset="value")
    best = rows.loc[rows["value"].idxmin() if score == "loss" else rows["value"].idxmax()] if len(rows) else None
    show_figure(
        decoder_quality(
            rows,
            labels=models.labels,
            colours=models.colours,
            markers=models.markers,
            title=f"Validation {score} of the decoders by layer",
            measure=QUALITY[score],
            note=f"{len(rows)} decoders ({kind}); masked words of held-out text",
            share=score == "accuracy",
        ),
        name="decoders",
        alt=f"Validation {score} by layer. "
        + (
            "There is none."
            if best is None
            else f"Best: {models.label(best.model)}, layer {best.layer}: {best.value:.3f}."
        ),
        reading=READING_QUALITY,
    )
    with st.expander("Table"):
        columns = {
            "label": Column("Model"),
            "kind": Column("Decoder", help=GLOSSARY["decoder"]),
            "layer": Column("Layer", "count"),
            "loss": Column("Loss", "score", GLOSSARY["loss"]),
            "accuracy": Column("Accuracy", "share"),
            "steps": Column("Steps", "count"),
            "improving": Column("Still improving", help=GLOSSARY["still improving"]),
            "corpus": Column("Trained on"),
            "hash": Column("Hash", help=GLOSSARY["hash"]),
        }
        improving = rows["still_improving"].map({True: "yes", False: "no"})
        rows = rows.assign(improving=improving.where(rows["steps"] > 0, "not trained"))
        show_table(rows, columns, name="decoders", alt="Quality of every decoder")
    without = [models.label(name) for name in models.names if name not in set(table["model"])]
    if without:
        nothing_here(
            "Some models have no decoders of their own.", f"{', '.join(without)}: read with the base's head only."
        )


def show_training(study: Study, models: Models) -> None:
    """A curve of the model's own training, or of its decoders'."""
    st.header("Training")
    curves = ask(study, browsing.training_curves)
    trained = [name for name in models.names if name in set(curves["model"])]
    if not trained:
        nothing_here("This study keeps no training curves.", "Models that were only probed have none.")
        return
    left, middle, right = st.columns(3)
    with left:
        model = controls.choose("Model", {name: models.label(name) for name in trained}, key="of_model")
    rows = curves[(curves["model"] == model) & ~curves["score"].isin(SIZES)]
    with middle:
        runs = {"model": "the model itself", "decoder": "its decoders"}
        run = controls.choose("Trained", {one: runs[one] for one in runs if one in set(rows["run"])}, key="run")
    rows = rows[rows["run"] == run]
    with right:
        found = list(dict.fromkeys(rows["score"]))
        names = {one: score_name(one) for one in [*QUALITY, *found] if one in found}
        score = controls.choose("Score", names, key="curve")
    rows = rows[rows["score"] == score]
    what = runs[run]
    share = score in SHARES
    show_figure(
        training_curve(
            rows,
            colour=models.colours[model],
            title=f"{models.label(model)}: {short_name(score)} of {what}",
            measure=names[score],
            note=f"{len(rows)} evaluations on held-out data",
            share=share,
        ),
        name="training",
        alt=f"{names[score]} of {models.label(model)} by step, {rows['value'].iloc[-1]:.3f} at the end.",
        reading=READING_TRAINING,
    )
    with st.expander("Table"):
        columns = {"step": Column("Step", "count"), "value": Column(names[score], "share" if share else "score")}
        if run == "decoder":
            columns = {"layer": Column("Layer", "count"), **columns}
        show_table(rows, columns, name="training", alt="Scores by training step")


guard()
st.title("Models")
st.markdown(
    "What this study looks at: where each model comes from, how well its layers can be read, and how training went."
)
study = current_study()
models = models_of(study)
st.text(study.description)
show_provenance(study)
show_quality(study, models)
show_training(study, models)
st.header("Add your own")
st.markdown(ADDING)
