# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the tests of commits that wait share: who bears witness, what the guard says, whether commits go on."""

from __future__ import annotations

from harness import Ledger, sql, until

SEGMENTS = ("sdw1", "sdw2")
#: the last one is a host without a database
WITNESSES = (*SEGMENTS, "sdw3")


def guard_of(host: str) -> str:
    """Return the state that the guard of a master is in."""
    return sql(host, "SELECT public.hawq_mirroring_guard() ->> 'state'")


def goes_on(ledger: Ledger, seconds: float = 60) -> None:
    """Wait until the client is told of more commits."""
    before = len(ledger.acknowledged)
    until(lambda: len(ledger.acknowledged) > before + 20, seconds, "commits go on")
