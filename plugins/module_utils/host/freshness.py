# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether what a run has seen may be relied on still. A controller can be frozen, or asleep, between look and act.

Source: clock_gettime(2), CLOCK_BOOTTIME: it counts the time that a machine is suspended, and nobody sets it.
"""

from __future__ import annotations

import time
import typing as t

from ..values.text import duration
from . import network
from .errors import MirroringError

#: seconds after which it is looked again: no longer than a master that was switched on meanwhile needs to serve
FRESH = 20
PROBE_SECONDS = 2.0


def clock() -> float:
    """Return this host's clock."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def refuse_answering(looked: float | None, silent: list[dict[str, t.Any]]) -> None:
    """Raise when a server answers that nobody has fenced, since it did not when this run looked.

    What was seen a moment ago is not asked again: a host that is off costs a time-out. A clock that is behind the look
    is that of a host that was started since.
    """
    if not silent or looked is None or 0 <= clock() - looked <= FRESH:
        return
    for place in silent:
        if network.probe(place["address"], int(place["port"]), PROBE_SECONDS)["open"]:
            raise MirroringError(
                f"the server at {place['address']}:{place['port']} answers again, {duration(abs(clock() - looked))}"
                " after this run has looked, and nobody has fenced it: nothing was activated. Run this again, so that"
                " it is judged anew, without master_is_down"
            )
