"""Where the dashboard and the data that ships are: in a clone, or inside the installed package."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def shipped_folder() -> Path:
    """The folder that holds `app.py`, `pages/`, `.streamlit/` and `precomputed/`.

    A wheel carries them inside the package (`hatch_build.py`), so that they are found wherever it is installed and no
    top-level package is called `pages`; in a clone they lie beside it.
    """
    installed = _PACKAGE / "_shipped"
    return installed if installed.is_dir() else _PACKAGE.parent
