# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Write-ahead log as a line of records that never change. Two servers have the same past when their lines have.

Source: PostgreSQL manual, "Write-Ahead Logging (WAL)", "WAL Internals".
"""

from __future__ import annotations

import typing as t

#: where the log begins, and bytes of an ordinary record
BEGIN, USUAL = 0x3000000, 0x100


class Catalog(t.NamedTuple):
    """What stands in the shared catalogs, and so comes to a standby with the WAL."""

    standbys: tuple[str, ...] = ()
    master: str | None = None
    #: which run relies on what the master keeps for a standby
    run: str | None = None


class Record:
    """One record, and all that comes before it."""

    __slots__ = ("_before", "catalog", "line", "lsn", "needs", "rows", "serial", "timeline")

    def __init__(
        self,
        serial: int,
        before: Record | None,
        timeline: int,
        size: int,
        row: int | None,
        catalog: Catalog,
        needs: int,
        checkpoint: bool = False,
    ) -> None:
        """Append a record; ``serial`` tells it from every other one. A recovery may begin at that of a checkpoint."""
        self.serial = serial
        self.timeline = timeline
        self.lsn: int = (before.lsn if before else BEGIN) + size
        self.catalog = catalog
        #: max_connections of the server that wrote it
        self.needs = needs
        #: bits of the records up to here, and of the rows that are committed in them
        self.line: int = (before.line if before else 0) | 1 << serial
        self.rows: int = (before.rows if before else 0) | (0 if row is None else 1 << row)

        self._before = None if checkpoint or before is None else before.checkpoint

    @property
    def checkpoint(self) -> Record:
        """The last record of a checkpoint: this, or one before it ("WAL Configuration")."""
        return self._before or self

    def has(self, other: Record) -> bool:
        """Whether the other one is this or lies before it."""
        return bool(self.line >> other.serial & 1)


def bits(number: int) -> list[int]:
    """Return the places of the bits that are set."""
    return [place for place in range(number.bit_length()) if number >> place & 1]
