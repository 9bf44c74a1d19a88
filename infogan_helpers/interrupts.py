"""Ctrl-C while something is under way that must not be cut in half. Not here: what that is.

In a notebook the square button sends the same signal.
"""

import signal
import threading
from contextlib import contextmanager


class Interrupt:
    """Ctrl-C, held back: no step, save or measurement is cut in half, and the run looks when one is whole.

    Only a callback may take for ever, and is no part of the run: there the second Ctrl-C interrupts at once.
    """

    def __init__(self):
        self.asked, self.calling = False, False

    def note(self, signum, frame):
        if self.asked and self.calling:
            self.calling = False
            raise KeyboardInterrupt
        self.asked = True

    def call(self, callback, history):
        """Call back; an interrupt that reaches the callback ends it, and the run."""
        try:
            self.calling = True
            callback(history)
            self.calling = False
        except KeyboardInterrupt:
            self.calling, self.asked = False, True
        finally:
            self.calling = False  # after another error too


@contextmanager
def interruptible():
    """An ``Interrupt`` that hears of each Ctrl-C. Python tells the main thread alone: in another, nothing comes."""
    interrupt = Interrupt()
    if threading.current_thread() is not threading.main_thread():
        yield interrupt
        return
    before = signal.signal(signal.SIGINT, interrupt.note)
    try:
        yield interrupt
    finally:
        signal.signal(signal.SIGINT, before or signal.default_int_handler)  # none where it was not Python's
