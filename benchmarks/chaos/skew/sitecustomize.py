"""A Python that finds this first takes the time to be CHAOS_SKEW seconds later than it is.

The monotonic clock goes on as it is, as it does when somebody sets the machine's clock.
"""

import os
import time

_LATER = float(os.environ.get("CHAOS_SKEW", "0"))
_time, _time_ns = time.time, time.time_ns


def _skewed() -> float:
    return _time() + _LATER


def _skewed_ns() -> int:
    return _time_ns() + int(_LATER * 1e9)


time.time, time.time_ns = _skewed, _skewed_ns
