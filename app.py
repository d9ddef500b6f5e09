"""The dashboard's router: run with `streamlit run app.py`."""

from pathlib import Path

from bertnesia.errors import BertnesiaError
from bertnesia.ui import address
from bertnesia.ui.guide import offer_guide
from bertnesia.ui.messages import problem
from bertnesia.ui.routing import announced, navigation
from bertnesia.ui.study import choose_study

page = navigation()
with address.kept(page.url_path):
    choose_study(Path(__file__).parent)
    try:
        with announced():
            page.run()
    except BertnesiaError as error:
        problem("This page cannot be shown.", error)
    offer_guide()
