# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the guard of a master does next, for whatever it sees."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.judge import guard
from ansible_collections.hawq.mirroring.plugins.module_utils.judge.guard import (
    HELD,
    Grant,
    Inherited,
    Memory,
    Owed,
    Seen,
    Standby,
    Waits,
)
from ansible_collections.hawq.mirroring.plugins.module_utils.values.ledger import Wish

LIST = ("sdw1", "sdw2", "sdw3")
ONE = Waits(1, ("smdw",))
TWO = Waits(1, ("smdw", "tmdw"))
OTHER = Waits(1, ("tmdw",))
NOBODY: tuple[Waits | None] = (None,)


def wish(number: int, waits: Waits | None = None, witnesses: tuple[str, ...] = LIST, timeline: int = 1) -> Wish:
    kind = "synchronous" if waits else "alone"
    return Wish(
        number, kind, timeline, "0/64", "mdw", 1.0, waits.count if waits else 0, waits.names if waits else (), witnesses
    )


def by(number: int, *names: str) -> tuple[Grant, ...]:
    return tuple(Grant(name, number) for name in names)


ALL = by(9, *LIST)
HERE = Standby("smdw", True, 100, True)
THIRD = Standby("tmdw", True, 100, True)
#: it owes since the moment 0, and it is the moment 100
LATE = Memory((Owed("smdw", 100, 0.0),))
BASE = Seen(
    100.0, 1.0, "synchronous", 5.0, 1, "mdw", 1, ONE, False, True, 100, "0/64", (HERE,), (), (wish(9, ONE),), 9, ALL,
    LIST, LIST,
)  # fmt: skip


def see(**changed: t.Any) -> Seen:
    return BASE._replace(**changed)


class Row(t.NamedTuple):
    """What is seen, and what is done."""

    seen: Seen
    state: str
    ask: Wish | None = None
    set: t.Any = None
    memory: Memory = Memory()
    granted: int | None = None


GONE = Standby("smdw", False, 100, False)
ROWS: dict[str, Row] = {
    "a pair in step": Row(BASE, "SYNCHRONOUS"),
    # going on alone
    "the standby has just gone": Row(see(standbys=()), "SYNCHRONOUS"),
    "it is registered and not connected": Row(see(standbys=(GONE,)), "SYNCHRONOUS"),
    "it is gone for too long": Row(see(standbys=()), "DEGRADING", ask=wish(10), memory=LATE),
    "it is frozen: connected, and does not answer": Row(
        see(standbys=(HERE._replace(flushed=99),)), "DEGRADING", ask=wish(10), memory=LATE
    ),
    "it has come to where it owed, and owes more": Row(
        see(position=200, standbys=(HERE._replace(flushed=150),)), "SYNCHRONOUS", memory=LATE
    ),
    "planned work takes it away": Row(see(leaving=("smdw",)), "DEGRADING", ask=wish(10)),
    "the mode is asynchronous from now on": Row(see(mode="asynchronous"), "DEGRADING", ask=wish(10)),
    "the mode is strict": Row(see(standbys=(), mode="strict"), "SYNCHRONOUS", memory=LATE),
    "one of three has granted": Row(
        see(standbys=(), wishes=(wish(9, ONE), wish(10)), grants=by(10, "sdw1")), "DEGRADING", memory=LATE
    ),
    "two of three have granted": Row(
        see(standbys=(), wishes=(wish(9, ONE), wish(10)), grants=by(10, "sdw1", "sdw3")),
        "ALONE", set=NOBODY, memory=LATE, granted=10,
    ),
    "somebody who is not of the list has granted": Row(
        see(standbys=(), wishes=(wish(9, ONE), wish(10)), grants=by(10, "sdw1", "sdw9")), "DEGRADING", memory=LATE
    ),
    "the operator's word is enough": Row(
        see(standbys=(), wishes=(wish(9, ONE), wish(10)), grants=(), word=10),
        "ALONE", set=NOBODY, memory=LATE, granted=10,
    ),
    "no witness is registered: asked first, all the same": Row(
        see(standbys=(), wishes=(wish(9, ONE, ()),), witnesses=(), answering=()),
        "DEGRADING", ask=wish(10, None, ()), memory=LATE,
    ),
    "no witness is registered: at once then": Row(
        see(standbys=(), wishes=(wish(9, ONE, ()), wish(10, None, ())), grants=(), witnesses=(), answering=()),
        "ALONE", set=NOBODY, memory=LATE, granted=10,
    ),
    "witnesses have promised a newer run": Row(
        see(standbys=(), wishes=(wish(9, ONE), wish(10)), grants=(Grant("sdw1", 9, "promised", 2, 9), *by(10, "sdw2"))),
        "DEGRADING", memory=LATE,
    ),
    "a witness tells of a higher number": Row(
        see(standbys=(), wishes=(wish(9, ONE), wish(10)), grants=(Grant("sdw1", 9, "older-wish", 1, 40),)),
        "DEGRADING", ask=wish(41), memory=LATE,
    ),
    "a wish to be waited for was asked since: the grant before it is none any more": Row(
        see(standbys=(), wishes=(wish(9), wish(10, ONE)), grants=by(9, *LIST)),
        "DEGRADING", ask=wish(11), memory=LATE,
    ),
    "alone": Row(see(setting=None, standbys=(), wishes=(wish(9),)), "ALONE"),
    "alone, and nothing was ever asked": Row(
        see(setting=None, standbys=(), wishes=(), granted=0, grants=()), "ALONE", ask=wish(1)
    ),
    "asynchronous from the beginning: nothing is asked": Row(
        see(setting=None, mode="asynchronous", wishes=(), granted=0, grants=()), "ALONE"
    ),
    # being waited for again
    "the standby is back": Row(see(setting=None, wishes=(wish(9),)), "ARMING", set=(ONE,)),
    "it lacks too much to be waited for": Row(
        see(setting=None, wishes=(wish(9),), position=1 << 30), "ALONE"
    ),
    "some process does not obey yet": Row(see(wishes=(wish(9),), spread=False), "ARMING"),
    "all obey, and it lacks what came before": Row(
        see(wishes=(wish(9),), standbys=(HERE._replace(flushed=99),)), "ARMING"
    ),
    "it has what was written when all obeyed": Row(
        see(wishes=(wish(9),), standbys=(HERE._replace(flushed=90),)),
        "ARMING", ask=wish(10, ONE), memory=Memory((), 90, ONE),
    ),
    "what was written when all obeyed something else is nothing": Row(
        see(wishes=(wish(9),), standbys=(HERE._replace(flushed=90),)), "ARMING", memory=Memory((), 90, TWO)
    ),
    "it has everything": Row(see(wishes=(wish(9),)), "ARMING", ask=wish(10, ONE)),
    "asked, and not granted yet": Row(see(wishes=(wish(9), wish(10, ONE))), "ARMING"),
    "granted": Row(see(wishes=(wish(9), wish(10, ONE)), grants=by(10, "sdw1", "sdw2")), "SYNCHRONOUS", granted=10),
    "it is gone again while it was armed, before anything was asked": Row(
        see(wishes=(wish(9),), standbys=()), "ALONE", set=NOBODY, memory=LATE
    ),
    # a new run
    "a new run without a standby": Row(
        see(timeline=2, setting=HELD, wishes=(), granted=0, grants=(), standbys=(), inherited=Inherited(9, (LIST,))),
        "DEGRADING", ask=wish(10, timeline=2),
    ),
    "a new run with a standby: its witnesses first": Row(
        see(timeline=2, setting=HELD, wishes=(), granted=0, grants=(), inherited=Inherited(9, (LIST,))),
        "DEGRADING", ask=wish(10, timeline=2),
    ),
    "a new run, granted by its own list only": Row(
        see(
            timeline=2, setting=HELD, wishes=(wish(10, timeline=2),), granted=0, standbys=(),
            grants=by(10, "sdw1", "sdw2"), inherited=Inherited(9, (("sdw4", "sdw5"),)),
        ),
        "DEGRADING",
    ),
    "a new run, granted": Row(
        see(
            timeline=2, setting=HELD, wishes=(wish(10, timeline=2),), granted=0, standbys=(),
            grants=by(10, "sdw1", "sdw2"), inherited=Inherited(9, (LIST,)),
        ),
        "ALONE", set=NOBODY, granted=10,
    ),
    "a new strict run with a standby": Row(
        see(timeline=2, mode="strict", setting=HELD, wishes=(), granted=0, grants=(), inherited=Inherited(9, (LIST,))),
        "ARMING", ask=wish(10, ONE, timeline=2),
    ),
    "a new strict run without one": Row(
        see(timeline=2, mode="strict", setting=HELD, wishes=(), granted=0, grants=(), standbys=()), "ARMING"
    ),
    "strict from now on, alone": Row(
        see(mode="strict", setting=None, wishes=(wish(9),), standbys=()), "ARMING", set=(HELD,)
    ),
    # several standbys
    "a second standby is there: told first": Row(see(standbys=(HERE, THIRD)), "SYNCHRONOUS", ask=wish(10, TWO)),
    "a second standby is there: told, and set": Row(
        see(standbys=(HERE, THIRD), wishes=(wish(10, TWO),), granted=10, grants=by(10, *LIST)), "ARMING", set=(TWO,)
    ),
    "one of two is lost: set first": Row(
        see(setting=TWO, standbys=(THIRD,), wishes=(wish(9, TWO),)), "ARMING", set=(OTHER,), memory=LATE
    ),
    "one of two is lost: told then": Row(
        see(setting=OTHER, standbys=(THIRD,), wishes=(wish(9, TWO),)), "SYNCHRONOUS", ask=wish(10, OTHER)
    ),
    "the only one is lost, and another is there: both are told first": Row(
        see(standbys=(THIRD,)), "SYNCHRONOUS", ask=wish(10, TWO), memory=LATE
    ),
    "two are waited for, one is there": Row(see(count=2), "SYNCHRONOUS"),
    "two are to be waited for": Row(
        see(count=2, setting=TWO, standbys=(HERE, THIRD), wishes=(wish(9, TWO),)), "ARMING", set=(Waits(2, TWO.names),)
    ),
    # the list of witnesses
    "another list is registered": Row(
        see(witnesses=("sdw1", "sdw4"), answering=("sdw1", "sdw4")), "SYNCHRONOUS", ask=wish(10, ONE, ("sdw1", "sdw4"))
    ),
    "another list is registered, and most of it does not answer": Row(
        see(witnesses=("sdw1", "sdw4"), answering=("sdw1",)), "SYNCHRONOUS"
    ),
    "the new list has granted, the old one has not": Row(
        see(
            witnesses=("sdw4",), answering=("sdw4",), wishes=(wish(9, ONE), wish(10, ONE, ("sdw4",))),
            grants=(*by(9, *LIST), *by(10, "sdw4")),
        ),
        "ARMING",
    ),
    "both have granted": Row(
        see(
            witnesses=("sdw4",), answering=("sdw4",), wishes=(wish(9, ONE), wish(10, ONE, ("sdw4",))),
            grants=by(10, "sdw1", "sdw2", "sdw4"),
        ),
        "SYNCHRONOUS", granted=10,
    ),
    "what is set is somebody else's": Row(see(foreign=True, standbys=()), "ALONE", memory=LATE),
}  # fmt: skip


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_a_step(row: Row) -> None:
    _memory, act = guard.step(row.memory, row.seen)
    assert (act.state, act.ask, act.set, act.granted) == (row.state, row.ask, row.set, row.granted)
    assert act.why
    assert act.ask is None or act.set is None


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_a_setting_is_never_emptied_before_a_majority_knows(row: Row) -> None:
    seen = row.seen._replace(grants=(), granted=0)
    assert guard.step(row.memory, seen)[1].set != (None,) or seen.word or not seen.wishes[-1].witnesses


#: what is set, what was told, and whether that stays true
IMPLIED: dict[str, tuple[Waits | None, Wish, bool]] = {
    "nobody is waited for, and that was told": (None, wish(1), True),
    "nobody is waited for, and that was not told": (None, wish(1, ONE), False),
    "nothing is acknowledged": (HELD, wish(1, ONE), True),
    "the same": (ONE, wish(1, ONE), True),
    "fewer are set than were told": (ONE, wish(1, TWO), True),
    "more are set than were told": (TWO, wish(1, ONE), False),
    "both of two": (Waits(2, TWO.names), wish(1, ONE), True),
    "two of three may be the others": (Waits(2, ("a", "b", "smdw")), wish(1, ONE), False),
}


@pytest.mark.parametrize(("setting", "told", "true"), IMPLIED.values(), ids=IMPLIED)
def test_what_was_told_stays_true(setting: Waits | None, told: Wish, true: bool) -> None:
    assert guard.implies(setting, told) is true


def test_what_is_owed_is_remembered_and_forgotten() -> None:
    behind = see(now=1.0, standbys=(HERE._replace(flushed=50),))
    memory, _act = guard.step(Memory(), behind)
    assert memory.owed == (Owed("smdw", 100, 1.0),)
    # an answer that is no progress to there changes nothing; one that is begins anew
    memory, _act = guard.step(memory, behind._replace(now=3.0, position=200))
    assert memory.owed == (Owed("smdw", 100, 1.0),)
    memory, _act = guard.step(memory, behind._replace(now=4.0, position=200, standbys=(HERE._replace(flushed=100),)))
    assert memory.owed == (Owed("smdw", 200, 4.0),)
    memory, _act = guard.step(memory, behind._replace(now=5.0, position=200, standbys=(HERE._replace(flushed=200),)))
    assert memory.owed == ()


def test_the_reason_names_who_serves_another_run() -> None:
    _memory, act = guard.step(LATE, ROWS["witnesses have promised a newer run"].seen)
    assert act.why == "1 of 3 witnesses have granted wish 10 (alone); sdw1 serves timeline 2"
