# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What witnesses that have promised prove of the old master: was it alone, who has all it acknowledged. Pure.

Whatever a majority has granted, one of those that have promised knows of; and once they have promised, nobody grants
the old run anything more. A wish ``synchronous`` was true when it was asked for, and stays true until a majority has
granted a newer one: it is believed where it is seen, as long as no newer one can have a majority of its list.
"""

from __future__ import annotations

import typing as t

from ...values import ledger
from ...values.ledger import Record, Wish

Outcome = t.Literal["nothing-lost", "perhaps-alone", "no-majority", "not-known"]
NOTHING_LOST: Outcome = "nothing-lost"
PERHAPS_ALONE: Outcome = "perhaps-alone"
NO_MAJORITY: Outcome = "no-majority"
NOT_KNOWN: Outcome = "not-known"


class Told(t.NamedTuple):
    """What a witness has told: its record as it was before it promised, and whether it has promised."""

    record: Record
    promised: bool


class Proof(t.NamedTuple):
    """What is known of the runs before the new one."""

    outcome: Outcome
    #: the wish by which nothing is lost on its standbys
    claim: Wish | None
    #: the newest wish to go on alone that may be in force, and whether it surely is
    alone: Wish | None
    certain: bool
    #: those who have that wish or a newer one on their disks
    consented: tuple[str, ...]
    #: the newest list; those of it that have promised, those that have not, and how many are needed
    witnesses: tuple[str, ...]
    promised: tuple[str, ...]
    silent: tuple[str, ...]
    needed: int
    #: what the new run inherits: the highest number, and the lists that must grant its first wish
    number: int
    lists: tuple[tuple[str, ...], ...]


def prove(told: t.Collection[Told]) -> Proof:
    """Return what these witnesses prove. Those that have not promised are heard, and prove nothing."""
    wishes = sorted({each.record.wish for each in told if each.record.wish}, key=place, reverse=True)
    number = max((wish.number for wish in wishes), default=0)
    if not wishes:
        return Proof(NOT_KNOWN, None, None, False, (), (), (), (), 0, number, ())
    newest = wishes[0]
    promised = {each.record.name for each in told if each.promised}
    needed = ledger.majority(newest.witnesses)
    have = tuple(name for name in newest.witnesses if name in promised)
    silent = tuple(name for name in newest.witnesses if name not in promised)
    claim = next((wish for wish in wishes if _is_proven(wish, told, promised)), None) if newest.witnesses else None
    # newer than what is proven: it may be that all of it is in nobody's force
    open_ones = [wish for wish in wishes if claim is None or place(wish) > place(claim)]
    alone = next((wish for wish in open_ones if wish.kind == ledger.ALONE), None) if claim is None else None
    consented = tuple(sorted(_with(alone, told))) if alone else ()
    certain = alone is not None and len({*consented} & {*alone.witnesses}) >= ledger.majority(alone.witnesses)
    lists = tuple(dict.fromkeys(wish.witnesses for wish in [*open_ones, *([claim] if claim else [])]))
    outcome: Outcome
    if not newest.witnesses:
        outcome = NOT_KNOWN
    elif len(have) < needed:
        outcome, claim = NO_MAJORITY, None
    else:
        outcome = NOTHING_LOST if claim else PERHAPS_ALONE if alone else NOT_KNOWN
    return Proof(outcome, claim, alone, certain, consented, newest.witnesses, have, silent, needed, number, lists)


def place(wish: Wish) -> tuple[int, int]:
    """Return the place of a wish among all: by its run, then by its number."""
    return wish.timeline, wish.number


def needed_standbys(claim: Wish) -> int:
    """Return how many of a claim's standbys must have left the old master before their positions are compared.

    They must have left it for good. The furthest of them has all that was acknowledged, and too few are left to
    acknowledge anything more.
    """
    return len(claim.standbys) - claim.count + 1


def is_enough(claim: Wish, left: t.Collection[str]) -> bool:
    """Whether those who have left the old master are so many that the furthest of them has everything."""
    return len(set(claim.standbys) & set(left)) >= needed_standbys(claim)


def _is_proven(wish: Wish, told: t.Collection[Told], promised: t.Collection[str]) -> bool:
    """Whether a wish ``synchronous`` is true: the wish that replaces it would need a majority of its list."""
    if wish.kind != ledger.SYNCHRONOUS or not wish.witnesses:
        return False
    silent = {name for name in wish.witnesses if name not in promised}
    newer = {each.record.name for each in told if each.record.wish and place(each.record.wish) > place(wish)}
    return len(silent | (newer & set(wish.witnesses))) < ledger.majority(wish.witnesses)


def _with(wish: Wish, told: t.Collection[Told]) -> set[str]:
    return {each.record.name for each in told if each.record.wish and place(each.record.wish) >= place(wish)}
