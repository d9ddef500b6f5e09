"""What each layer of a BERT knows, and what fine-tuning makes it forget."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bertnesia.api import probe, probe_paraphrases, train_decoders
    from bertnesia.cloze import Cloze

__version__ = "0.1.0"

__all__ = ["Cloze", "__version__", "probe", "probe_paraphrases", "train_decoders"]

_PLACES = {"Cloze": "cloze", "probe": "api", "probe_paraphrases": "api", "train_decoders": "api"}


def __getattr__(name: str) -> Any:
    """Import what is asked for: `import bertnesia` itself loads no torch."""
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_PLACES])
