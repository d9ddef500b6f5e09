"""The `bertnesia` command: parses options, calls the library, shows the result. One module for each kind of command."""

from bertnesia.cli import cloze, coverage, dashboard, download, report, studies, training, verify
from bertnesia.cli.common import app, main

__all__ = ["app", "cloze", "coverage", "dashboard", "download", "main", "report", "studies", "training", "verify"]
