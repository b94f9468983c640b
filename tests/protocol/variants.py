# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The protocol with one rule broken: an exploration that does not find what comes of it would find nothing."""

from __future__ import annotations

import contextlib
import types
import typing as t
from unittest import mock

from ansible_collections.hawq.mirroring.plugins.module_utils.judge import guard
from ansible_collections.hawq.mirroring.plugins.module_utils.judge.failover import majority
from ansible_collections.hawq.mirroring.plugins.module_utils.values import ledger
from ansible_collections.hawq.mirroring.plugins.module_utils.values.ledger import Answer, Record, Wish

from . import starts
from .model import Rules, State, World


class Variant(t.NamedTuple):
    """A rule that is broken, and where that is looked for."""

    #: what is broken
    world: World
    #: what the story must end with
    ends: str
    start: str = "synchronous"
    servers: int = 2
    faults: int = 2
    depth: int = 14
    patch: t.Callable[[], t.ContextManager[t.Any]] = contextlib.nullcontext
    #: up to which depth it is tried whether it goes on
    calm: int = -1

    def begin(self) -> State:
        """Return the state where the exploration begins."""
        if self.start == "synchronous":
            state = starts.synchronous(self.world, self.servers)
        else:
            state = starts.STARTS[self.start](self.world)
        return state._replace(faults=self.faults)


def _unchecked(record: Record, wish: Wish, system: str) -> Answer:
    answer = ledger.grant(record._replace(promised=None), wish, system)
    return answer._replace(record=answer.record._replace(promised=record.promised)) if answer.record else answer


def _low(memory: guard.Memory, seen: guard.Seen) -> tuple[guard.Memory, guard.Act]:
    grants = tuple(each._replace(told_number=0) for each in seen.grants)
    return guard.step(memory, seen._replace(inherited=seen.inherited._replace(number=0), grants=grants))


def _hasty(memory: guard.Memory, seen: guard.Seen) -> tuple[guard.Memory, guard.Act]:
    memory, act = guard.step(memory, seen)
    return memory, act._replace(set=(None,)) if act.ask and act.ask.kind == ledger.ALONE else act


def _forgetful(memory: guard.Memory, seen: guard.Seen) -> tuple[guard.Memory, guard.Act]:
    return guard.step(memory, seen._replace(inherited=seen.inherited._replace(witnesses=())))


def _minority() -> t.ContextManager[t.Any]:
    """One witness is enough for a master."""
    lone = types.SimpleNamespace(**{**vars(ledger), "majority": lambda names: 1 if names else 0})
    return mock.patch.object(guard, "ledger", lone)


def _few(told: t.Collection[majority.Told]) -> majority.Proof:
    """Those who have promised are all that there are, for a failover."""
    names = tuple(each.record.name for each in told if each.promised)
    return majority.prove([
        each._replace(record=each.record._replace(wish=each.record.wish and each.record.wish._replace(witnesses=names)))
        for each in told
    ])  # fmt: skip


def _own_list_only() -> t.ContextManager[t.Any]:
    """Each wish needs a majority of its own list, and no other."""
    read = guard.read

    def alone(seen: guard.Seen) -> guard.Book:
        granted = seen.granted
        for wish in seen.wishes:
            yes = {each.witness for each in seen.grants if each.number >= wish.number}
            if len(yes & set(wish.witnesses)) >= ledger.majority(wish.witnesses):
                granted = wish.number
        return read(seen._replace(granted=granted))

    return mock.patch.object(guard, "read", alone)


def _granted_only() -> t.ContextManager[t.Any]:
    """What was asked and not granted is not thought of."""
    read = guard.read

    def alone(seen: guard.Seen) -> guard.Book:
        book = read(seen)
        return book._replace(claims=(book.granted,) if book.granted else ())

    return mock.patch.object(guard, "read", alone)


def _unsettled() -> t.ContextManager[t.Any]:
    return mock.patch.object(guard, "_is_settled", return_value=True)


LISTS = ((0, 1, 2), (2, 3, 4))
SMALL = World(commits=1, runs=1)


def _small(**rules: t.Any) -> World:
    return SMALL._replace(rules=Rules(**rules))


#: what is broken, and what comes of it
VARIANTS: dict[str, Variant] = {
    "a witness answers before it has written": Variant(
        _small(writes_first=False)._replace(commits=2), "acknowledge", start="activated", faults=1
    ),
    "a minority is enough for a master": Variant(SMALL, "acknowledge", faults=0, patch=_minority),
    "a minority is enough for a failover": Variant(_small(prove=_few), "acknowledge", faults=0),
    "a promise is not checked": Variant(_small(grant=_unchecked), "acknowledge", faults=0),
    "numbers are not raised after a promotion": Variant(
        _small(step=_low), "wait, though a majority", start="synchronous", faults=0, calm=14
    ),
    "the setting is emptied before the grant": Variant(_small(step=_hasty), "acknowledge", faults=0),
    "the list of witnesses is changed without both majorities": Variant(
        SMALL._replace(lists=((0,), (1,))), "acknowledge", start="relisted", faults=0, patch=_own_list_only
    ),
    "a wish that is not granted is not thought of": Variant(
        SMALL, "acknowledge", start="alone", faults=0, patch=_granted_only
    ),
    "the standby need not have what was acknowledged before": Variant(
        SMALL, "acknowledged, is not on", start="alone", faults=0, patch=_unsettled
    ),
    "a standby is activated with nothing set": Variant(
        World(Rules(is_held=False), count=2, commits=1, lists=((0,),)),
        "acknowledged, is not on",
        servers=3,
        faults=1,
        depth=16,
    ),
    "standbys are compared while they follow the old master": Variant(
        _small(leaves_first=False), "acknowledge", servers=3, faults=0
    ),
    "enough standbys are one": Variant(
        _small(is_enough=lambda claim, left: bool(left)), "acknowledge", servers=3, faults=1
    ),
}
