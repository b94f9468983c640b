# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where explorations begin: states of the life of a pair, made by events as the exploration makes them."""

from __future__ import annotations

from ansible_collections.hawq.mirroring.plugins.module_utils.judge import guard

from . import model
from .calm import _round
from .model import HELD, MASTER, STANDBY, Server, State, Witness, World


def empty(world: World, servers: int = 2) -> State:
    """A master that goes on without waiting, its standbys, and witnesses that know nothing."""
    rest = tuple(
        Server(True, STANDBY, 1, (), 0, HELD if world.rules.is_held else None, HELD if world.rules.is_held else None)
        for _server in range(servers - 1)
    )
    first = Server(True, MASTER, 1, (), None, None, None, memory=guard.Memory())
    most = max(place for places in world.lists for place in places) + 1
    return State((first, *rest), (Witness(),) * most, (0, 0, 0, 0), None, 0, 0, 0, 0)


def settled(world: World, state: State, at: int = 0, rounds: int = 12) -> State:
    """Let everything that happens by itself happen until nothing does."""
    for _number in range(rounds):
        state = _round(world, state, at, late=False)
        state = _written(state)
    return state


def _written(state: State) -> State:
    for place, each in enumerate(state.witnesses):
        if each.unwritten is not None:
            state = model.witness(state, place, disk=each.unwritten, unwritten=None)
    return state


def synchronous(world: World, servers: int = 2) -> State:
    """A pair in step, as its witnesses know."""
    state = settled(world, empty(world, servers))
    assert state.servers[0].setting not in (None, HELD), state
    assert all(each.disk.wish.kind == "synchronous" for each in state.witnesses[:2] if each.disk.wish), state
    return state


def alone(world: World) -> State:
    """A master that has lost its standby, and goes on alone by consent."""
    state = model.server(synchronous(world), 1, up=False)
    for _number in range(8):
        state = _written(_round(world, state, 0, late=True))
    assert state.servers[0].setting is None, state
    return state


def second(world: World) -> State:
    """After a failover: the old master is off, and the new one has just been activated."""
    state = model.server(synchronous(world), 0, up=False, memory=None)
    state = model.start(world, state, 1)
    for place in range(len(state.witnesses)):
        run = state.run
        assert run
        state = _written(model.promise(world, state, place, run.timeline, 1, run.name))
    held = model.hold(world, state, model.proof(world, state))
    assert held, model.proof(world, state)
    return model.activate(world, held)._replace(runs=0)


def returned(world: World) -> State:
    """After a failover, and the old master is a standby in step."""
    state = second(world)
    state = model.resynchronise(world, settled(world, state, 1, 6), 0, 1)
    return settled(world, state, 1)


def activated(world: World) -> State:
    """A failover has just activated the standby, and the old master knows nothing of it."""
    state = model.start(world, synchronous(world), 1)
    for place in range(len(state.witnesses) // 2 + 1):
        run = state.run
        assert run
        state = model.promise(world, state, place, run.timeline, 1, run.name)
    held = model.hold(world, state, model.proof(world, state))
    assert held
    return model.activate(world, held)._replace(runs=0)


def relisted(world: World) -> State:
    """A pair in step, and the witnesses of a new list have granted what names them; those who leave are slow."""
    state = synchronous(world)._replace(listed=1)
    state = model.turn(world, state, 0, late=False)
    for place in world.lists[1]:
        if place not in world.lists[0]:
            state = model.grant(world, state, place, 0, state.servers[0].wishes[-1])
    return model.turn(world, state, 0, late=False)


STARTS = {
    "synchronous": synchronous,
    "alone": alone,
    "second": second,
    "returned": returned,
    "empty": empty,
    "activated": activated,
    "relisted": relisted,
}
