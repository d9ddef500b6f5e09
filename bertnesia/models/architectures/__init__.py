"""The supported architectures, a page each. A new one needs its page, its import here, and nothing else."""

from bertnesia.models.architectures import (
    albert,
    bert,
    deberta,
    distilbert,
    electra,
    mobilebert,
    modernbert,
    mpnet,
    roberta,
)
from bertnesia.models.architectures.registry import Architecture, architecture, register, supported

__all__ = [
    "Architecture",
    "albert",
    "architecture",
    "bert",
    "deberta",
    "distilbert",
    "electra",
    "mobilebert",
    "modernbert",
    "mpnet",
    "register",
    "roberta",
    "supported",
]
