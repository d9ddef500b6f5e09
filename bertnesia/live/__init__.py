"""Live cloze prompts: every layer of several models at once, for many visitors."""

from bertnesia.live.results import (
    Checkpoint,
    ClozeResult,
    Distance,
    LayerPrediction,
    RankedWord,
    Refusal,
    Reply,
    Request,
    UnrankedWord,
)
from bertnesia.live.service import LiveModels, live_models

__all__ = [
    "Checkpoint",
    "ClozeResult",
    "Distance",
    "LayerPrediction",
    "LiveModels",
    "RankedWord",
    "Refusal",
    "Reply",
    "Request",
    "UnrankedWord",
    "live_models",
]
