"""Waiting for conditions, never for time."""

import time

DEADLINE = 20.0


def until(condition, what, deadline=DEADLINE):
    """The first true value of condition(); fails after the deadline."""
    end = time.monotonic() + deadline
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {deadline} s: {what}")
        time.sleep(0.005)
