"""The `bertnesia` command: parses options, calls the library, shows the result. One module for each kind of command."""

from bertnesia.cli import cloze, dashboard, studies, training
from bertnesia.cli.common import app, main

__all__ = ["app", "cloze", "dashboard", "main", "studies", "training"]
