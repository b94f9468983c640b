# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""All that can happen next in a state. What is a fault uses one of those that are left; what mends it is free."""

from __future__ import annotations

import typing as t

from ansible_collections.hawq.mirroring.plugins.module_utils.judge import guard

from . import model
from .model import CONTROLLER, FENCED, MASTER, SERVERS, STANDBY, State, World

#: what happens, and to whom
Event = tuple[t.Any, ...]
#: what is left undone when a state changes nothing
Next = t.Iterator[tuple[Event, t.Callable[[], t.Optional[State]]]]

SENTENCES = {
    "commit": "a client commits on {0}",
    "commit late": "a client commits on {0}, in a process that does not obey the newest setting yet",
    "ship": "{0} receives the WAL of {1}, and confirms it",
    "spread": "all processes of {0} obey the setting",
    "turn": "the guard of {0} looks",
    "late turn": "the guard of {0} looks after mirroring_degrade_after",
    "grant": "{0} reads the wish of {1}, keeps it and says so",
    "read": "{0} reads the wish of {1}, and is slow",
    "write": "{0}, which was slow, keeps what it has read and says so",
    "start": "an operator begins a failover to {0}",
    "promise": "the failover asks {0} for its promise",
    "post": "the failover asks {0} for its promise, which is slow",
    "arrive": "the slow question for a promise arrives at {0}",
    "hold": "the failover judges that nothing is lost, and lets the standbys leave the old master",
    "accept": "the operator accepts the loss: the old master is off, and is fenced",
    "activate": "the failover activates its standby",
    "give up": "the failover is refused, and takes the promises back",
    "resynchronise": "{0} becomes a standby of {1}",
    "down": "{0} is switched off",
    "up": "{0} is back",
    "guard dies": "the guard of {0} is killed",
    "guard starts": "the guard of {0} starts",
    "controller dies": "the run of the playbook is killed",
    "cut": "the link between {0} and {1} is cut",
    "mend": "the link between {0} and {1} is back",
    "list": "another list of witnesses is registered",
    "flush": "{0} writes to its disk what it has answered",
}


def sentence(event: Event) -> str:
    """Return an event as people read it."""
    return SENTENCES[event[0]].format(*event[1:])


def after(world: World, state: State) -> Next:
    """Return each event that can happen, and what makes the state after it; None where nothing happens."""
    yield from _servers(world, state)
    yield from _witnesses(world, state)
    yield from _controller(world, state)
    if state.faults:
        yield from _faults(world, state._replace(faults=state.faults - 1))
    yield from _mended(world, state)


def _servers(world: World, state: State) -> Next:
    for at, own in enumerate(state.servers):
        if not own.up or own.role != MASTER:
            continue
        if state.commits < world.commits:
            yield ("commit", SERVERS[at]), lambda at=at: model.commit(state, at, world)
            if own.before is None and own.setting is not None:
                yield ("commit late", SERVERS[at]), lambda at=at: model.commit(state, at, world, late=True)
        for other, each in enumerate(state.servers):
            if model.follows(state, other, at) and (
                each.log != own.log or own.confirmed[other] < len(own.log) or each.timeline != own.timeline
            ):
                yield ("ship", SERVERS[other], SERVERS[at]), lambda at=at, other=other: model.ship(state, other, at)
        if own.before != own.setting:
            yield (
                ("spread", SERVERS[at]),
                lambda at=at, own=own: model.released(model.server(state, at, before=own.setting), at),
            )
        if own.memory is not None:
            yield ("turn", SERVERS[at]), lambda at=at: model.turn(world, state, at, False)
            if any(each.since > -model.DEGRADE_AFTER for each in own.memory.owed):
                yield ("late turn", SERVERS[at]), lambda at=at: model.turn(world, state, at, True)


def _witnesses(world: World, state: State) -> Next:
    for place, each in _each(world, state):
        if each.unwritten is not None:
            yield (
                ("flush", model.name(place)),
                lambda place=place, each=each: model.witness(state, place, disk=each.unwritten, unwritten=None),
            )
        if not each.up:
            continue
        for at, own in enumerate(state.servers):
            if not (own.up and own.role == MASTER and own.wishes and model.reaches(state, each, at)):
                continue
            wish = own.wishes[-1]
            yield (
                ("grant", model.name(place), SERVERS[at]),
                lambda place=place, at=at, wish=wish: model.grant(world, state, place, at, wish),
            )
            if state.faults and each.slow is None and each.told[at].number < wish.number:
                slow = state._replace(faults=state.faults - 1)
                yield (
                    ("read", model.name(place), SERVERS[at]),
                    lambda place=place, at=at, wish=wish, slow=slow: model.witness(
                        slow, place, slow=("wish", at, wish)
                    ),
                )
        if each.slow and each.slow[0] == "wish":
            yield (
                ("write", model.name(place)),
                lambda place=place, each=each: model.grant(world, state, place, each.slow[1], each.slow[2]),
            )
        if each.slow and each.slow[0] == "promise":
            yield (
                ("arrive", model.name(place)),
                lambda place=place, each=each: model.promise(world, state, place, *each.slow[1:]),
            )


def _controller(world: World, state: State) -> Next:
    run = state.run
    if run is None:
        yield from _operator(world, state)
        return
    own = state.servers[run.candidate]
    reached = own.up and model.linked(state, CONTROLLER, run.candidate)
    if run.held:
        if reached and own.role == STANDBY:
            yield ("activate",), lambda: model.activate(world, state)
        yield ("give up",), lambda: model.give_up(world, state)
        return
    for place, each in _each(world, state):
        if not model.reaches(state, each, CONTROLLER) or each.answer is not None:
            continue
        asked = (run.timeline, run.candidate, run.name)
        yield (
            ("promise", model.name(place)),
            lambda place=place, asked=asked: model.promise(world, state, place, *asked),
        )
        if state.faults and each.slow is None:
            slow = state._replace(faults=state.faults - 1)
            yield (
                ("post", model.name(place)),
                lambda place=place, asked=asked, slow=slow: model.witness(slow, place, slow=("promise", *asked)),
            )
    found = model.proof(world, state)
    may = reached and own.role == STANDBY
    held = model.hold(world, state, found) if may and found.outcome == "nothing-lost" else None
    if held:
        yield ("hold",), lambda: held
        return
    others_off = all(not each.up for each in state.servers if each.role == MASTER)
    if may and others_off and found.outcome in ("perhaps-alone", "not-known", "nothing-lost") and found.promised:
        yield ("accept",), lambda: model.accept(state)
    yield ("give up",), lambda: model.give_up(world, state)


def _operator(world: World, state: State) -> Next:
    """What an operator does between failovers."""
    for at, own in enumerate(state.servers):
        if not own.up or not model.linked(state, CONTROLLER, at):
            continue
        if own.role == STANDBY and state.runs < world.runs:
            yield ("start", SERVERS[at]), lambda at=at: model.start(world, state, at)
        master = state.newest
        newest = state.servers[master]
        behind = own.role == FENCED or own.timeline < newest.timeline or own.follows is None
        if at != master and behind and newest.up and newest.role == MASTER and model.linked(state, at, master):
            yield (
                ("resynchronise", SERVERS[at], SERVERS[master]),
                lambda at=at, master=master: model.resynchronise(world, state, at, master),
            )


def _faults(world: World, state: State) -> Next:
    for at, own in enumerate(state.servers):
        if own.up:
            yield (
                ("down", SERVERS[at]),
                lambda at=at, own=own: model.server(
                    state, at, up=False, memory=None, waiting=(), before=own.setting, confirmed=(0, 0, 0)
                ),
            )
        if own.memory is not None:
            yield ("guard dies", SERVERS[at]), lambda at=at: model.server(state, at, memory=None)
        for other in [*range(at + 1, len(state.servers)), CONTROLLER]:
            if model.linked(state, at, other):
                yield (
                    ("cut", SERVERS[at], _name(other)),
                    lambda at=at, other=other: _switched(state, at, other),
                )
    for place, each in _each(world, state):
        if each.up:
            yield (
                ("down", model.name(place)),
                lambda place=place: model.witness(state, place, up=False, slow=None, unwritten=None),
            )
        for other in [*range(len(state.servers)), CONTROLLER]:
            if not each.cut >> other & 1:
                yield (
                    ("cut", model.name(place), _name(other)),
                    lambda place=place, each=each, other=other: model.witness(state, place, cut=each.cut | 1 << other),
                )
    if state.run:
        yield ("controller dies",), lambda: model.forget(state)
    if state.listed < len(world.lists) - 1:
        yield ("list",), lambda: state._replace(listed=state.listed + 1)


def _mended(world: World, state: State) -> Next:
    for at, own in enumerate(state.servers):
        if not own.up:
            memory = guard.Memory() if own.role == MASTER else None
            yield ("up", SERVERS[at]), lambda at=at, memory=memory: model.server(state, at, up=True, memory=memory)
        elif own.memory is None and own.role == MASTER:
            yield ("guard starts", SERVERS[at]), lambda at=at: model.server(state, at, memory=guard.Memory())
        for other in [*range(at + 1, len(state.servers)), CONTROLLER]:
            if not model.linked(state, at, other):
                yield ("mend", SERVERS[at], _name(other)), lambda at=at, other=other: _switched(state, at, other)
    for place, each in _each(world, state):
        if not each.up:
            yield ("up", model.name(place)), lambda place=place: model.witness(state, place, up=True)
        for other in [*range(len(state.servers)), CONTROLLER]:
            if each.cut >> other & 1:
                yield (
                    ("mend", model.name(place), _name(other)),
                    lambda place=place, each=each, other=other: model.witness(
                        state, place, cut=each.cut & ~(1 << other)
                    ),
                )


def _each(world: World, state: State) -> t.Iterator[tuple[int, model.Witness]]:
    """Return the witnesses and their places; of those that are the same in all, one stands for all."""
    seen = set()
    for place, each in enumerate(state.witnesses):
        if not world.symmetric or id(each) not in seen:
            seen.add(id(each))
            yield place, each


def _switched(state: State, one: int, other: int) -> State:
    cuts = list(state.cuts)
    cuts[one] ^= 1 << other
    cuts[other] ^= 1 << one
    return state._replace(cuts=tuple(cuts))


def _name(place: int) -> str:
    return "the controller" if place == CONTROLLER else SERVERS[place]
