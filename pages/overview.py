"""Overview: which models there are, how much each knows, and what this study found."""

import streamlit as st

from bertnesia.ui import address, controls
from bertnesia.ui.guide import show_welcome
from bertnesia.ui.messages import nothing_here
from bertnesia.ui.models import models_of
from bertnesia.ui.overview import View, show_findings, show_known, show_ways_on
from bertnesia.ui.overview_tables import show_headlines, show_models, show_published
from bertnesia.ui.routing import guard
from bertnesia.ui.study import current_study

guard()
st.title("What a BERT knows, layer by layer")
st.markdown(
    "**bertnesia** asks a masked language model facts, as sentences with a gap; not only its last layer, but every "
    "one, and fine-tuned models, too: what is known, where it sits, and what fine-tuning made it forget."
)
show_welcome()
study = current_study()
models = models_of(study)
st.text(study.description)
row = st.container(horizontal=True, vertical_alignment="bottom", gap="medium")
with row:
    probe_set = controls.choose_probe_set(study)
    k = controls.choose_k()
    kind = controls.choose_decoder(controls.kinds_of(study, probe_set))
view = View(probe_set, kind, k, tuple(controls.asked_models(study, probe_set, kind)))
if not view.models:
    nothing_here("No model was asked these facts with these decoders.", "Choose other decoders or another probe set.")
    address.stop()
show_findings(study, models, view)
show_known(study, models, view)
show_ways_on(view)
show_models(study, models, view)
show_headlines(study, models, view)
show_published(study)
