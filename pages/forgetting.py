"""Forgetting: what a fine-tuned model no longer knows, and what it learned."""

import streamlit as st

from bertnesia.analysis import forgetting
from bertnesia.store import queries
from bertnesia.store.study import Study
from bertnesia.ui import address, controls
from bertnesia.ui.forgetting_answers import show_answers, show_total
from bertnesia.ui.forgetting_facts import show_facts
from bertnesia.ui.forgetting_views import VIEWS, show_view
from bertnesia.ui.messages import nothing_here
from bertnesia.ui.models import Models, models_of
from bertnesia.ui.routing import guard
from bertnesia.ui.study import ask, current_study

ANY_LAYER = "any"


def choose(study: Study, models: Models) -> queries.Comparison:
    """The controls: which model, on which facts, at which layer."""
    left, middle, right = st.columns(3)
    with middle:
        probe_set = controls.choose_probe_set(study)
    tuned = {}
    for kind in controls.kinds_of(study, probe_set):
        asked = controls.asked_models(study, probe_set, kind)
        tuned[kind] = [name for name in asked if models.bases.get(name) in asked]
    kinds = [kind for kind in tuned if tuned[kind]]
    if not kinds:
        nothing_here("There is nothing to compare.", "No fine-tuned model and its base were asked these facts.")
        address.stop()
    row = st.container(horizontal=True, vertical_alignment="bottom", gap="medium")
    with row:
        k = controls.choose_k()
        kind = controls.choose_decoder(kinds)
        filtered = controls.choose_filtered()
    with left:
        model = controls.choose("Fine-tuned model", {name: models.label(name) for name in tuned[kind]}, key="model")
    base = models.bases[model]
    with right:
        layers = [str(layer) for layer in range(1, min(models.layers[base], models.layers[model]) + 1)]
        names = {ANY_LAYER: "any layer"} | {layer: f"layer {layer}" for layer in layers}
        layer = controls.choose("Right at", names, key="at", explanation="layer")
    return queries.Comparison(probe_set, base, model, kind, k, None if layer == ANY_LAYER else int(layer), filtered)


guard()
st.title("Forgetting")
st.markdown(
    "What fine-tuning did to the facts that the base model has right: how much it cost, in which relations, at which "
    "layer and when, and whether what is gone is lost or only buried."
)
study = current_study()
models = models_of(study)
comparison = choose(study, models)
counts = ask(study, queries.forgetting, comparison)
if counts.empty:
    nothing_here("No fact fits this choice.", "None of these facts could be asked of both models.")
    address.stop()
show_total(forgetting.rates(forgetting.total(counts)).iloc[0])
show_answers(study, comparison, counts)
st.header("Look closer")
view = controls.segments("View", list(VIEWS), key="view")
show_view(view, study, comparison, models)
show_facts(study, comparison)
