"""Ctrl-C and SIGTERM are like closing the window."""

import signal

import pytest

from widgets.program import _closing_on_signals


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_closes_the_window_not_in_the_midst_of_something_but_when_the_loop_comes_round(
    qtbot, number: signal.Signals
):
    closed = []
    with _closing_on_signals(lambda: closed.append(1)):
        signal.raise_signal(number)
        assert not closed  # the handler has run, perhaps while this thread holds a lock that closing needs
        qtbot.waitUntil(lambda: bool(closed))
    assert signal.getsignal(number) is not None
