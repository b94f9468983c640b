# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""For whom a master's commits wait, and what it asks of its witnesses before that changes. Pure.

The guard keeps nothing that must not be lost: what is set, what was asked and what was granted are read again before
each step, so that it may be killed anywhere. One step changes one thing, and the next sees whether that has happened.

This file is installed on the master hosts beside the guard's program: it imports the ledger and the library.
"""

from __future__ import annotations

import typing as t

from ..values import ledger
from ..values.ledger import Wish

ALONE, ARMING, SYNCHRONOUS, DEGRADING = "ALONE", "ARMING", "SYNCHRONOUS", "DEGRADING"
#: whose consent there is, where nobody has ever registered as a witness
NOBODY_REGISTERED = "no witness is registered"
#: options of mirroring_mode
Mode = t.Literal["asynchronous", "synchronous", "strict"]


class Waits(t.NamedTuple):
    """For how many of which standbys commits wait. Without names: for nobody, and therefore for ever."""

    count: int  # type: ignore[assignment]
    names: tuple[str, ...]


#: what a standby has set before it is activated: the new master acknowledges nothing before its witnesses know of it
HELD = Waits(1, ())


class Standby(t.NamedTuple):
    """A standby as the master sees it."""

    name: str
    #: connected, and following
    streaming: bool
    #: how far it has written to its disk, as it says
    flushed: int
    #: whether the master counts it among those that commits wait for
    counted: bool


class Grant(t.NamedTuple):
    """What a witness has told the master: its newest grant, and its newest refusal."""

    witness: str
    #: number of the newest wish of this run that it has granted; 0 for none
    number: int
    reason: ledger.Reason = ""
    #: the timeline and the number that it named when it refused
    told_timeline: int = 0
    told_number: int = 0


class Inherited(t.NamedTuple):
    """What the promises told that this run was begun by."""

    #: the highest number of a wish
    number: int = 0
    #: the lists of witnesses of which a majority has promised
    witnesses: tuple[tuple[str, ...], ...] = ()


class Seen(t.NamedTuple):
    """What the guard sees before each step, read in the order of these fields."""

    #: a monotonic clock, and the calendar's for what people read
    now: float
    at: float
    mode: Mode
    degrade_after: float
    count: int  # type: ignore[assignment]
    master: str
    timeline: int
    #: what is set; None when no commit waits
    setting: Waits | None
    #: whether it is written in somebody else's way
    foreign: bool
    #: whether whatever commits from now on obeys it
    spread: bool
    #: how far the master has written, read after ``spread``: whatever was acknowledged without waiting lies before it
    position: int
    lsn: str
    standbys: tuple[Standby, ...]
    #: those that planned work is about to take away
    leaving: tuple[str, ...]
    #: the wishes of this run from the newest granted one on, oldest first
    wishes: tuple[Wish, ...]
    #: the number of the wish that the guard has noted as granted; 0 for none
    granted: int
    grants: tuple[Grant, ...]
    #: the witnesses that are registered now, and those that have looked at this master lately
    witnesses: tuple[str, ...]
    answering: tuple[str, ...]
    inherited: Inherited = Inherited()
    #: the number of a wish that counts as granted by the operator's word
    word: int = 0


class Owed(t.NamedTuple):
    """Up to where a standby must have come, and since when."""

    name: str
    position: int
    since: float


class Memory(t.NamedTuple):
    """What the guard remembers from step to step, and may forget."""

    owed: tuple[Owed, ...] = ()
    #: a position read after all obeyed this setting
    mark: int | None = None
    marked: Waits | None = None


class Act(t.NamedTuple):
    """What the guard does. At most one of ``ask`` and ``set`` is not None."""

    state: str
    why: str
    #: the wish to write down on the master, on its disk before a witness can read it
    ask: Wish | None = None
    #: what to set: (None,) for nothing to wait for
    set: tuple[Waits | None] | None = None
    #: a wish that is granted since, to be noted: those before it may be forgotten then
    granted: int | None = None


class Book(t.NamedTuple):
    """What this run's wishes have come to."""

    newest: Wish | None
    granted: Wish | None
    #: wishes that some witness may have on its disk and no majority has replaced: each of them must be true
    claims: tuple[Wish, ...]
    #: the lists of which the newest wish needs a majority each
    lists: tuple[tuple[str, ...], ...]


#: how many bytes a standby may lack when commits begin to wait for it
NEAR = 16 * 1024 * 1024


def step(memory: Memory, seen: Seen) -> tuple[Memory, Act]:
    """Return what the guard does next, and what it remembers."""
    memory = _remembered(memory, seen)
    if seen.foreign:
        return memory, Act(
            ALONE, "what commits wait for is written in a way that is not the guard's, and stays as it is"
        )
    book = read(seen)
    wanted = target(memory, seen)
    act = _alone(seen, book) if wanted is None else _waiting(memory, seen, book, wanted)
    if book.granted and book.granted.number != seen.granted:
        act = act._replace(granted=book.granted.number)
    return memory, act


def implies(setting: Waits | None, claim: Wish) -> bool:
    """Whether what is acknowledged under a setting is on as many standbys as a wish has told."""
    if claim.kind == ledger.ALONE or setting == HELD:
        return True
    if setting is None:
        return False
    return claim.count <= setting.count - len(set(setting.names) - set(claim.standbys))


def read(seen: Seen) -> Book:
    """Return what the wishes have come to.

    A witness has one wish on its disk, the newest: it stands for those before it as well. A wish needs a majority of
    its own list and of each that is not surely replaced, from the newest granted wish on; the first one of a run needs
    those that have let the run begin.
    """
    granted, claims, lists = None, [], list(seen.inherited.witnesses)
    for wish in seen.wishes:
        claims.append(wish)
        lists.append(wish.witnesses)
        consents = {each.witness for each in seen.grants if each.number >= wish.number}
        enough = all(len(consents & set(names)) >= ledger.majority(names) for names in lists)
        if enough or wish.number in (seen.granted, seen.word):
            granted, claims, lists = wish, [wish], [wish.witnesses]
    newest = seen.wishes[-1] if seen.wishes else None
    return Book(newest, granted, tuple(claims), tuple(dict.fromkeys(lists)))


def target(memory: Memory, seen: Seen) -> Waits | None:
    """Return for whom commits should wait: for standbys that are there, None for nobody."""
    if seen.mode == "asynchronous":
        return None
    near = {each.name for each in seen.standbys if each.streaming and seen.position - each.flushed <= NEAR}
    # one that commits wait for already has some time to come back
    members = set(seen.setting.names) if seen.setting else set()
    gone = {name for name in near | members if name in seen.leaving or is_lost(name, memory, seen)}
    ready = tuple(sorted((near | members) - gone))
    if ready:
        return Waits(min(seen.count, len(ready)), ready)
    return (seen.setting or HELD) if seen.mode == "strict" else None


def is_lost(name: str, memory: Memory, seen: Seen) -> bool:
    """Whether a standby has owed its answer for too long."""
    return any(each.name == name and seen.now - each.since >= seen.degrade_after for each in memory.owed)


def _remembered(memory: Memory, seen: Seen) -> Memory:
    """Return what is remembered from now on: what each standby owes, and from where on all obey what is set."""
    before = {each.name: each for each in memory.owed}
    there = {each.name: each for each in seen.standbys}
    owed = []
    for name in sorted({*there, *(seen.setting.names if seen.setting else ())}):
        standby, debt = there.get(name), before.get(name)
        streaming, flushed = (standby.streaming, standby.flushed) if standby else (False, 0)
        if streaming and flushed >= seen.position:
            continue
        if debt is None or (streaming and flushed >= debt.position):
            debt = Owed(name, seen.position, seen.now)
        owed.append(debt)
    kept = memory.mark is not None and memory.marked == seen.setting and seen.spread
    mark = memory.mark if kept else seen.position if seen.spread else None
    return Memory(tuple(owed), mark, seen.setting if mark is not None else None)


def _is_settled(memory: Memory, wanted: Waits, seen: Seen) -> bool:
    """Whether all that was ever acknowledged is on enough of these: what obeys the setting, and what came before."""
    if memory.mark is None:
        return False
    has = [
        each.name
        for each in seen.standbys
        if each.name in wanted.names and each.streaming and each.flushed >= memory.mark
    ]
    return len(has) >= wanted.count


def _allows(setting: Waits | None, seen: Seen, book: Book) -> bool:
    """Whether this may be set: what a witness may tell of this run stays true, what earlier ones told is replaced."""
    return (book.granted is not None or seen.setting is None) and all(implies(setting, each) for each in book.claims)


def _list(seen: Seen, book: Book) -> tuple[str, ...]:
    """Return the witnesses that the next wish names: those that are registered, once most of them answer."""
    known = seen.inherited.witnesses[-1] if seen.inherited.witnesses else ()
    now = book.newest.witnesses if book.newest else known
    wanted = tuple(sorted(seen.witnesses))
    return wanted if len(set(seen.answering) & set(wanted)) >= ledger.majority(wanted) else now


def _asks(seen: Seen, book: Book, waits: Waits | None) -> Wish | None:
    """Return the wish for this; None when the newest one is it, and no witness has told of a higher number."""
    numbers = [
        seen.inherited.number,
        *(each.told_number for each in seen.grants),
        *(each.number for each in seen.wishes),
    ]
    kind, count, names = (ledger.ALONE, 0, ()) if waits is None else (ledger.SYNCHRONOUS, waits.count, waits.names)
    newest, witnesses = book.newest, _list(seen, book)
    same = newest is not None and (newest.kind, newest.count, newest.standbys) == (kind, count, names)
    if newest and same and newest.witnesses == witnesses:
        overtaken = any(
            each.told_number >= newest.number and each.reason in ("older-wish", "other-wish") for each in seen.grants
        )
        if book.granted == newest or not overtaken:
            return None
    number = max(numbers) + 1
    return Wish(number, kind, seen.timeline, seen.lsn, seen.master, seen.at, count, names, witnesses)


def _alone(seen: Seen, book: Book) -> Act:
    """Go on alone, or stay so: the setting is emptied when a majority knows, never before."""
    if seen.setting is not None and _allows(None, seen, book):
        return Act(ALONE, f"no standby is waited for: {_consent(seen, book)}", set=(None,))
    state = ALONE if seen.setting is None else DEGRADING
    if seen.mode == "asynchronous" and seen.setting is None and not seen.wishes and not seen.inherited.number:
        return Act(ALONE, "the mode is asynchronous")
    return Act(state, _consent(seen, book), ask=_asks(seen, book, None))


def _waiting(memory: Memory, seen: Seen, book: Book, wanted: Waits) -> Act:
    """Let commits wait for these, or stay so."""
    told = book.newest is not None and book.granted == book.newest and book.newest.kind == ledger.SYNCHRONOUS
    state = SYNCHRONOUS if told and seen.setting not in (None, HELD) else ARMING
    names = " and ".join(wanted.names)
    if seen.setting == wanted:
        if wanted == HELD:
            return Act(ARMING, "the mode is strict, and no standby is there")
        if not _is_settled(memory, wanted, seen) and not told:
            return Act(ARMING, f"{names} must first have what was acknowledged before")
        ask = _asks(seen, book, wanted) if _is_settled(memory, wanted, seen) else None
        return Act(state, f"commits wait for {wanted.count} of {names}: {_consent(seen, book)}", ask=ask)
    if _allows(wanted, seen, book):
        return Act(ARMING, f"{names} is there", set=(wanted,))
    if book.granted is None and seen.mode != "strict":
        # a new run: it may not acknowledge anything, not even with a standby, before its witnesses know of it
        return Act(DEGRADING, _consent(seen, book), ask=_asks(seen, book, None))
    if book.granted is None:
        ask = _asks(seen, book, wanted) if _is_settled(memory, wanted, seen) else None
        return Act(ARMING, _consent(seen, book), ask=ask)
    if book.newest.kind == ledger.ALONE:
        return Act(DEGRADING, _consent(seen, book), ask=_asks(seen, book, None))
    # what holds before and after: as few of all of them
    joint = Waits(min(book.newest.count, wanted.count), tuple(sorted({*book.newest.standbys, *wanted.names})))
    return Act(state, _consent(seen, book), ask=_asks(seen, book, joint))


def _consent(seen: Seen, book: Book) -> str:
    """Return who has granted the newest wish, and why the others have not, as people read it."""
    if book.newest is None:
        return "nothing has been asked of the witnesses yet"
    names = sorted({name for each in book.lists for name in each})
    if not names:
        return NOBODY_REGISTERED
    yes = [each.witness for each in seen.grants if each.number >= book.newest.number and each.witness in names]
    text = f"{len(yes)} of {len(names)} witnesses have granted wish {book.newest.number} ({book.newest.kind})"
    for each in seen.grants:
        if each.reason in ("promised", "newer-run", "other-master") and each.witness in names:
            text += f"; {each.witness} serves timeline {each.told_timeline}"
    return text
