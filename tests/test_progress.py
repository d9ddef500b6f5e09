"""What is told of long work where standard error is a file."""

import re

import pytest

from bertnesia import progress


def test_a_log_is_told_now_and_then(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert not progress.console.is_terminal
    for seconds, lines in ((0.0, 3), (60.0, 0)):
        monkeypatch.setattr(progress, "SECONDS_BETWEEN_LINES", seconds)
        with progress.progress_bar("Training [b]", 3000) as advance:
            for _ in range(2):
                advance(1000)
            advance(0, "loss 0.5")
        told = capsys.readouterr().err.splitlines()
        assert len(told) == lines
        if told:
            assert re.fullmatch(r"Training \[b\]: 2,000 of 3,000 after 0 s, loss 0\.5", told[-1])


def test_a_listener_comes_first(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_LINES", 0.0)
    heard = []
    with (
        progress.told_to(lambda *what: heard.append(what)),
        progress.progress_bar("Asking", 2) as advance,
    ):
        advance()
    assert heard == [("Asking", 1, 2, "")]
    assert capsys.readouterr().err == ""
