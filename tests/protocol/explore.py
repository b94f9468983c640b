# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Look at every state that can be reached by so many events, none twice: the first that is wrong is the nearest."""

from __future__ import annotations

import gc
import time
import typing as t

from . import events, model
from .calm import stuck
from .model import BrokenError, State, World


class Found(t.NamedTuple):
    """What an exploration has come to."""

    #: states that are new at each depth, from 0 on
    states: list[int]
    transitions: int
    seconds: float
    #: what is wrong, and the events that lead there
    broken: str | None = None
    story: tuple[events.Event, ...] = ()
    #: states of which was tried whether it goes on from there
    tried: int = 0

    @property
    def depth(self) -> int:
        """How many events are covered completely."""
        return len(self.states) - 1

    def tell(self) -> str:
        """Return it as people read it."""
        text = f"{sum(self.states)} states, depth {self.depth}, {self.transitions} events, {self.seconds:.0f} s"
        if self.broken:
            lines = [f"  {number}. {events.sentence(each)}" for number, each in enumerate(self.story, 1)]
            text += "\n" + "\n".join([*lines, f"  Then: {self.broken}."])
        return text


class Pool:
    """Each server and witness once, so that a state is known by a few numbers.

    Where witnesses can change places they are put in the order in which the pool met them: one state stands for all
    that differ only in that.
    """

    def __init__(self, world: World) -> None:
        self.symmetric = world.symmetric
        self.parts: dict[t.Any, t.Any] = {}
        #: numbers by the identity of what the pool keeps
        self.numbers: dict[int, int] = {}

    def one(self, part: t.Any) -> t.Any:
        """Return the one that equals this."""
        if id(part) in self.numbers:
            return part
        kept = self.parts.setdefault(part, part)
        self.numbers.setdefault(id(kept), len(self.numbers))
        return kept

    def packed(self, state: State) -> tuple[State, tuple[t.Any, ...]]:
        """Return the state made of what the pool keeps, and its key."""
        servers = tuple([self.one(each) for each in state.servers])
        witnesses = [self.one(each) for each in state.witnesses]
        numbers = self.numbers
        if self.symmetric:
            witnesses.sort(key=lambda each: numbers[id(each)])
        state = state._replace(servers=servers, witnesses=tuple(witnesses))
        return state, (
            *[numbers[id(each)] for each in servers],
            *[numbers[id(each)] for each in witnesses],
            *state[2:],
        )


def named(world: World, pool: Pool, state: State, story: list[events.Event]) -> list[events.Event]:
    """Return a story in which each witness keeps its name, though they have changed places on the way."""
    names = [model.name(place) for place in range(len(state.witnesses))]
    told = []
    for event in story:
        places = {model.name(place): name for place, name in enumerate(names)}
        told.append((event[0], *(places.get(each, each) for each in event[1:])))
        try:
            found = next(change() for each, change in events.after(world, state) if each == event)
        except BrokenError:
            break
        assert found is not None
        rows = [pool.one(each) for each in found.witnesses]
        if pool.symmetric:
            order = sorted(range(len(rows)), key=lambda at: pool.numbers[id(rows[at])])
            names = [names[at] for at in order]
        state, _memory = pool.packed(found)
    return told


def explore(world: World, begin: State, depth: int, **limits: t.Any) -> Found:
    """Explore; nothing is freed meanwhile, and Python need not look for that."""
    model.asked.cache_clear()
    gc.disable()
    try:
        return _explore(world, begin, depth, **limits)
    finally:
        gc.enable()


def _explore(  # noqa: C901 - one loop, which is to be read as one
    world: World, begin: State, depth: int, seconds: float = 1e9, calm: int = 0, most: int = 1 << 62
) -> Found:
    """Explore up to a depth, or as far as time and room allow; whether it goes on is tried up to the depth ``calm``."""
    # seconds of this process: another one's work says nothing of this
    start = time.process_time()
    pool = Pool(world)
    begin, key = pool.packed(begin)
    index = {key: 0}
    parents: list[tuple[int, events.Event | None]] = [(0, None)]
    layer, counts, transitions = [(0, begin)], [1], 0
    tried: dict[t.Any, str | None] = {}

    def told(broken: str, at: int, last: events.Event | None) -> Found:
        story = [last] if last else []
        while at:
            at, event = parents[at]
            story.insert(0, t.cast(events.Event, event))
        story = named(world, pool, begin, story)
        return Found(counts, transitions, time.process_time() - start, broken, tuple(story), len(tried))

    for level in range(depth + 1):
        if level <= calm:
            for here, state in layer:
                wrong = stuck(world, state, tried)
                if wrong:
                    return told(wrong, here, None)
        if level == depth:
            break
        following: list[tuple[int, State]] = []
        for here, state in layer:
            for event, change in events.after(world, state):
                transitions += 1
                try:
                    found = change()
                except BrokenError as error:
                    counts.append(len(following))
                    return told(str(error), here, event)
                found, key = pool.packed(found)
                if key not in index:
                    index[key] = len(parents)
                    following.append((len(parents), found))
                    parents.append((here, event))
            if time.process_time() - start > seconds or len(index) > most:
                # a layer that is not whole covers nothing
                return Found(counts, transitions, time.process_time() - start, tried=len(tried))
        counts.append(len(following))
        if not following:
            break
        layer = following
    return Found(counts, transitions, time.process_time() - start, tried=len(tried))
