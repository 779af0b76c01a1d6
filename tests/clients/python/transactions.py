"""A transaction is refused at once: with an error, not with an endless wait."""

import time

from harness import NotServed

AT_ONCE_S = 10


def refusal(begin, errors):
    """Begins a transaction and expects one of the errors, soon. Raises `NotServed` then."""
    begun = time.monotonic()
    try:
        begin()
    except errors as error:
        took_s = time.monotonic() - begun
        assert took_s < AT_ONCE_S, f"refused after {took_s:.0f} s, like an outage: {error!r}"
        raise NotServed("refused at once: this version has none") from error
    raise AssertionError("a transaction was begun")
