# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where the histories of two servers part. Pure.

Sources: PostgreSQL manual, "Timelines"; the rule of the last common ancestor is pg_rewind's.
"""

from __future__ import annotations

import typing as t

from . import lsn


class Stretch(t.NamedTuple):
    """A timeline from where it begins to where the next one leaves it; both are byte positions."""

    timeline: int
    begin: int
    end: int | None


class Fork(t.NamedTuple):
    """The last timeline that two histories share, and the LSN at which the first of the two leaves it."""

    timeline: int
    lsn: str
    #: what the first history has beyond it
    beyond: list[Stretch]


class Part(t.NamedTuple):
    """One timeline of a server's own history; the last one has no end (LSN)."""

    timeline: int
    end: str | None


def parts(rows: t.Iterable[t.Mapping[str, t.Any]]) -> list[Part]:
    """Return the module option ``history`` as values."""
    return [Part(int(row["timeline"]), row["end"]) for row in rows]


def ancestors(text: str) -> list[list[t.Any]]:
    """Return timeline and end (LSN) of each line of a history file."""
    lines = [line.split() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [[int(words[0]), words[1]] for words in lines if len(words) > 1 and words[0].isdigit()]


def at(histories: dict[str, list[list[t.Any]]], known: int, place: str, written: t.Callable[[int], bool]) -> int:
    """Return the timeline that a standby replays at an LSN, which no server tells.

    Its control file names that of its last restartpoint; the history files say where it may have gone on from there.
    A standby has the history of a newer timeline before it gets there, or never gets there since it has passed the
    fork: ``written`` tells whether there is a segment of WAL of a timeline at that LSN.
    """
    for number in sorted(map(int, histories), reverse=True):
        lines = histories[str(number)]
        if known == number or known in [line[0] for line in lines]:
            found = next((line[0] for line in lines if lsn.parse(place) < lsn.parse(line[1])), number)
            if found <= known or written(found):
                return int(found)
    return known


def fork(mine: list[Stretch], its: list[Stretch]) -> Fork | None:
    """Return where two histories part, or None while they are one (or have nothing in common)."""
    common = 0
    for own, other in zip(mine, its):
        if (own.timeline, own.begin) != (other.timeline, other.begin):
            break
        common += 1
    if not common:
        return None
    ends = [each for each in (mine[common - 1].end, its[common - 1].end) if each is not None]
    if not ends:
        return None
    at = min(ends)
    beyond = [
        part._replace(begin=max(part.begin, at)) for part in mine[common - 1 :] if part.end is None or part.end > at
    ]
    return Fork(mine[common - 1].timeline, lsn.render(at), beyond)
