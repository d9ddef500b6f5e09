"""Cloze: prompts through every layer of several models, side by side."""

import streamlit as st

from bertnesia.ui import cloze_controls, cloze_models, cloze_state, controls
from bertnesia.ui.cloze_many import show_many
from bertnesia.ui.cloze_results import show_sentence
from bertnesia.ui.messages import nothing_here
from bertnesia.ui.models import models_of
from bertnesia.ui.routing import guard
from bertnesia.ui.study import current_study, live_models_of

ONE, MANY = "one sentence", "many sentences"

guard()
st.title("Cloze")
st.markdown(
    "Type a sentence with **[MASK]** in place of a word: every layer of each model says what should stand there. Read "
    "the grids downwards: the answer forms from the first layer to the last, and a fine-tuned model may lose it."
)
study = current_study()
study_models = models_of(study)
default = cloze_controls.default_models(study, study_models)
mode = controls.segments("Ask", [ONE, MANY], key="ask")
fact, sentence = None, None
if mode == ONE:
    fact = cloze_state.open_link(study)
    sentence = cloze_controls.choose_sentence(cloze_controls.examples_of(study, default[1:]))
cloze_models.choose_added()
models = cloze_models.models_with_added(study_models)
live = cloze_models.with_added(live_models_of(study))
how, beside = cloze_controls.choose_how(study, live, models, default)
stored = cloze_state.keep_fact(fact, sentence.prompt, sentence.answer) if sentence else None
with beside:
    cloze_models.offer_models(study, live)
if not how.models:
    nothing_here("No model is chosen.", "Choose one or more models above.")
elif sentence is None:
    show_many(live, models, how)
else:
    show_sentence(study, live, models, sentence, how, stored)
