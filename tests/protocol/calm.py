# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Does it go on from here?

Commits are released when a majority can talk with the master; and when all is mended, somebody serves.
"""

from __future__ import annotations

import typing as t

from ansible_collections.hawq.mirroring.plugins.module_utils.judge import guard
from ansible_collections.hawq.mirroring.plugins.module_utils.values import ledger

from . import model
from .model import MASTER, STANDBY, State, World

#: rounds in which the guard looks once and each witness answers once, until a commit must be acknowledged
ROUNDS = 8


def stuck(world: World, state: State, tried: dict[t.Any, str | None]) -> str | None:
    """Return what does not go on, or None. What only an observer knows changes nothing of it."""
    key = state._replace(acknowledged=frozenset(), faults=0, commits=0)
    if key not in tried:
        tried[key] = _stuck(world, state)
    return tried[key]


def _stuck(world: World, state: State) -> str | None:
    for at, own in enumerate(state.servers):
        # a strict one never goes on alone: only what is mended lets it
        works = own.up and own.role == MASTER and own.memory is not None and world.mode != "strict"
        if works and _may(world, state, at) and not _serves(world, state, at):
            return f"commits on {model.SERVERS[at]} wait, though a majority of its witnesses answers it"
    return None if _recovers(world, state) else "all is mended, the operator has done what there is, and nobody serves"


def _may(world: World, state: State, at: int) -> bool:
    """Whether the master can talk with majorities that have not been won by a newer run."""
    own = state.servers[at]
    free = {
        model.name(place)
        for place, each in enumerate(state.witnesses)
        if model.reaches(state, each, at) and _is_free(each, own.timeline, model.SERVERS[at])
    }
    lists = [*(wish.witnesses for wish in own.wishes), model.names(world.lists[state.listed]), *own.inherited.witnesses]
    return all(len(free & set(names)) >= ledger.majority(names) for names in lists)


def _is_free(each: model.Witness, timeline: int, name: str) -> bool:
    disk = each.unwritten or each.disk
    wish, promised = disk.wish, disk.promised
    return not (
        (promised and (promised.timeline > timeline or (promised.timeline == timeline and promised.candidate != name)))
        or (wish and (wish.timeline > timeline or (wish.timeline == timeline and wish.master != name)))
    )


def _serves(world: World, state: State, at: int) -> bool:
    """Whether a commit is acknowledged within some rounds when nothing else happens."""
    state = model.commit(state, at, world)
    number = state.commits
    for each in range(ROUNDS):
        if number in state.acknowledged:
            return True
        state = _round(world, state, at, late=each > 0)
    return number in state.acknowledged


def _round(world: World, state: State, at: int, late: bool) -> State:
    """Let everything happen once that happens by itself."""
    own = state.servers[at]
    if own.before != own.setting:
        state = model.released(model.server(state, at, before=own.setting), at)
    for other in range(len(state.servers)):
        if model.follows(state, other, at):
            state = model.ship(state, other, at)
    state = model.turn(world, state, at, late)
    wishes = state.servers[at].wishes
    for place, each in enumerate(state.witnesses):
        if wishes and model.reaches(state, each, at):
            state = model.grant(world, state, place, at, wishes[-1])
    return state


def _recovers(world: World, state: State) -> bool:
    """Whether somebody serves when all hosts, links and programs are back, and the operator has run what there is."""
    mended = state._replace(
        cuts=tuple(0 for _cut in state.cuts),
        servers=tuple(
            each._replace(up=True, memory=each.memory or (guard.Memory() if each.role == MASTER else None))
            for each in state.servers
        ),
        witnesses=tuple(each._replace(up=True, cut=0, slow=None) for each in state.witnesses),
    )
    newest = mended.newest
    state = model.forget(mended)
    if state.servers[newest].role == MASTER:
        for at, each in enumerate(state.servers):
            if at != newest and (each.timeline < state.servers[newest].timeline or each.follows is None):
                state = model.resynchronise(world, state, at, newest)
        if _serves(world, state, newest):
            return True
    # promises of a run that was killed stand in the way: the same failover is run again, to its end or to its refusal
    for candidate, each in enumerate(mended.servers):
        if each.role == STANDBY and _failover(world, model.forget(mended), candidate):
            return True
    return False


def _failover(world: World, state: State, candidate: int) -> bool:
    state = model.start(world, state, candidate)
    for _number in range(3):
        for place, each in enumerate(state.witnesses):
            if each.answer is None and state.run:
                state = model.promise(world, state, place, state.run.timeline, candidate, state.run.name)
    found = model.proof(world, state)
    held = model.hold(world, state, found) if found.outcome == "nothing-lost" else None
    if held:
        return _serves(world, model.activate(world, held), candidate)
    # refused: the operator says that the killed run has activated nobody
    run = state.run
    assert run
    for place, each in enumerate(state.witnesses):
        promised = (each.unwritten or each.disk).promised
        if promised and promised.timeline > max(own.timeline for own in state.servers):
            record = world.rules.withdraw(
                model.record(each, place), promised.timeline, promised.candidate, None, anyway=True
            )
            if record:
                state = model.witness(state, place, **model.kept(world, record))
    state = model.forget(state)
    newest = state.newest
    return state.servers[newest].role == MASTER and _serves(world, state, newest)
