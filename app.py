"""The dashboard's router: run with `streamlit run app.py`."""

from pathlib import Path

from bertnesia.errors import BertnesiaError
from bertnesia.ui.messages import problem
from bertnesia.ui.routing import announce, navigation
from bertnesia.ui.study import choose_study

page = navigation()
choose_study(Path(__file__).parent)
announce()
try:
    page.run()
except BertnesiaError as error:
    problem("This page cannot be shown.", error)
