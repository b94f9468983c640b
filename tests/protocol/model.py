# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The world of the protocol: servers, witnesses, one controller, and all that can happen next.

What a guard, a witness and a failover decide is asked of the functions of the collection (``Rules``). The rest is
modelled: a server's WAL is the list of its commits, a standby has a beginning of it, and a commit is acknowledged as
soon as what is set allows it, which is the worst for what is promised. A standby is activated with ``HELD`` set, and a
witness answers from its disk.
"""

from __future__ import annotations

import functools
import typing as t

from ansible_collections.hawq.mirroring.plugins.module_utils.judge import guard
from ansible_collections.hawq.mirroring.plugins.module_utils.judge.failover import majority
from ansible_collections.hawq.mirroring.plugins.module_utils.judge.guard import HELD, Waits
from ansible_collections.hawq.mirroring.plugins.module_utils.values import ledger
from ansible_collections.hawq.mirroring.plugins.module_utils.values.ledger import Promise, Record, Wish

SYSTEM = "7712689664250374424"
SERVERS = ("mdw", "smdw", "tmdw")
MASTER, STANDBY, FENCED = "master", "standby", "fenced"
#: the controller's bit among those of the links that are cut; the servers have bits 0, 1, 2
CONTROLLER = 3
#: seconds: a standby that owes an answer owes it since 0, or since too long
DEGRADE_AFTER = 5.0


class Server(t.NamedTuple):
    """A server and its guard."""

    up: bool
    role: str
    timeline: int
    log: tuple[int, ...] = ()
    follows: int | None = None
    #: on its disk
    setting: Waits | None = HELD
    #: what some process may still obey; the same when none does
    before: Waits | None = HELD
    #: commits whose clients wait
    waiting: tuple[int, ...] = ()
    wishes: tuple[Wish, ...] = ()
    granted: int = 0
    #: None while the guard does not run
    memory: guard.Memory | None = None
    inherited: guard.Inherited = guard.Inherited()
    #: how far each server has confirmed
    confirmed: tuple[int, ...] = (0, 0, 0)


class Grant(t.NamedTuple):
    """What a witness has told a server."""

    number: int = 0
    reason: str = ""
    timeline: int = 0
    other: int = 0


class Disk(t.NamedTuple):
    """A record without its name: that follows from its place, so that witnesses can change places."""

    promised: Promise | None = None
    wish: Wish | None = None


class Witness(t.NamedTuple):
    """A witness, what is on its way to it, and what it has told to whom."""

    up: bool = True
    disk: Disk = Disk()
    #: what it would forget when it is switched off; only where it does not write before it answers
    unwritten: Disk | None = None
    #: a wish that it has read, or a promise that is asked of it and not there yet
    slow: t.Any = None
    cut: int = 0
    told: tuple[Grant, Grant, Grant] = (Grant(), Grant(), Grant())
    #: its record before the promise, as the present failover was told it
    answer: Disk | None = None


class Run(t.NamedTuple):
    """A failover that runs."""

    candidate: int
    timeline: int
    name: str
    held: bool = False
    #: whether the loss is accepted, which is told
    accepted: bool = False


class State(t.NamedTuple):
    """Everything. The last fields are what an observer knows who sees all of it."""

    servers: tuple[Server, ...]
    witnesses: tuple[Witness, ...]
    #: servers from which each server and the controller are cut: bits
    cuts: tuple[int, ...]
    run: Run | None
    #: which list of witnesses is registered
    listed: int
    faults: int
    runs: int
    commits: int
    acknowledged: frozenset[int] = frozenset()
    #: the newest timeline that has acknowledged, and the server that was activated last
    acknowledger: int = 0
    newest: int = 0


class Rules(t.NamedTuple):
    """The functions that are explored, and what else can be broken."""

    grant: t.Callable[..., ledger.Answer] = ledger.grant
    promise: t.Callable[..., ledger.Answer] = ledger.promise
    withdraw: t.Callable[..., Record | None] = ledger.withdraw
    step: t.Callable[..., tuple[guard.Memory, guard.Act]] = guard.step
    prove: t.Callable[..., majority.Proof] = majority.prove
    is_enough: t.Callable[..., bool] = majority.is_enough
    #: whether a witness writes before it answers
    writes_first: bool = True
    #: whether a standby has HELD on its disk
    is_held: bool = True
    #: whether standbys leave the old master before they are compared
    leaves_first: bool = True


class World(t.NamedTuple):
    """What is explored, and how much of it may happen."""

    rules: Rules = Rules()
    mode: str = "synchronous"
    count: int = 1
    #: the lists of witnesses that may be registered, by places; more than one: no witness stands for another
    lists: tuple[tuple[int, ...], ...] = ((0, 1, 2),)
    commits: int = 2
    runs: int = 2

    @property
    def symmetric(self) -> bool:
        """Whether witnesses can change places: the functions know their names only as members of one list."""
        return len(self.lists) == 1


class BrokenError(Exception):
    """An invariant does not hold."""


@functools.cache
def name(place: int) -> str:
    """Return the name of the witness at a place."""
    return f"w{place + 1}"


@functools.cache
def names(places: tuple[int, ...]) -> tuple[str, ...]:
    return tuple(name(place) for place in places)


@functools.lru_cache(maxsize=1 << 20)
def asked(function: t.Callable[..., t.Any], *given: t.Any) -> t.Any:
    """Return what a function answers; it is pure, so that it is asked once."""
    return function(*given)


def server(state: State, place: int, **changed: t.Any) -> State:
    servers = state.servers
    return state._replace(servers=(*servers[:place], servers[place]._replace(**changed), *servers[place + 1 :]))


def witness(state: State, place: int, **changed: t.Any) -> State:
    rows = state.witnesses
    return state._replace(witnesses=(*rows[:place], rows[place]._replace(**changed), *rows[place + 1 :]))


def linked(state: State, one: int, other: int) -> bool:
    return not state.cuts[one] >> other & 1


def reaches(state: State, each: Witness, other: int) -> bool:
    return each.up and not each.cut >> other & 1


def record(each: Witness, place: int) -> Record:
    """Return what a witness answers from."""
    disk = each.unwritten or each.disk
    return Record(SYSTEM, name(place), disk.promised, disk.wish)


def kept(world: World, found: Record) -> dict[str, Disk]:
    """Return what is changed when a witness keeps a record."""
    return {"disk" if world.rules.writes_first else "unwritten": Disk(found.promised, found.wish)}


def follows(state: State, standby: int, master: int) -> bool:
    """Whether WAL flows."""
    one, other = state.servers[standby], state.servers[master]
    return (
        one.up and other.up and one.role == STANDBY and one.follows == master and other.role == MASTER
        and one.timeline <= other.timeline and linked(state, standby, master)
    )  # fmt: skip


# --- what happens by itself


def commit(state: State, place: int, world: World, late: bool = False) -> State:
    """A client commits; late: in a process that does not obey the newest setting yet."""
    own = state.servers[place]
    number = state.commits + 1
    setting = own.before if late else own.setting
    state = server(state._replace(commits=number), place, log=(*own.log, number), waiting=(*own.waiting, number))
    return acknowledge(state, place, (number,)) if setting is None else released(state, place)


def released(state: State, place: int) -> State:
    """Acknowledge what the setting lets go, or the one before that some process may still obey."""
    own = state.servers[place]
    done = [
        number for number in own.waiting if any(_lets(setting, own, number) for setting in (own.setting, own.before))
    ]
    return acknowledge(state, place, tuple(done)) if done else state


def _lets(setting: Waits | None, own: Server, number: int) -> bool:
    if setting is None:
        return True
    behind = own.log.index(number) + 1
    return sum(own.confirmed[SERVERS.index(each)] >= behind for each in setting.names) >= setting.count


def acknowledge(state: State, place: int, done: tuple[int, ...]) -> State:
    """Tell clients that their commits are safe, and see whether that is true."""
    own = state.servers[place]
    if own.timeline < state.acknowledger:
        raise BrokenError(f"timelines {own.timeline} and {state.acknowledger} both acknowledge")
    state = server(state, place, waiting=tuple(number for number in own.waiting if number not in done))
    state = state._replace(acknowledged=state.acknowledged | set(done), acknowledger=own.timeline)
    return checked(state)


def checked(state: State) -> State:
    """Raise when something acknowledged is not on the server that was activated last."""
    lost = state.acknowledged - set(state.servers[state.newest].log)
    if lost:
        text = " and ".join(f"commit {number}" for number in sorted(lost))
        raise BrokenError(f"{text} was acknowledged, is not on {SERVERS[state.newest]}, and nobody said so")
    return state


def ship(state: State, standby: int, master: int) -> State:
    """WAL flows, is flushed, and confirmed."""
    source = state.servers[master]
    confirmed = tuple(len(source.log) if at == standby else each for at, each in enumerate(source.confirmed))
    state = server(state, standby, log=source.log, timeline=source.timeline)
    return released(server(state, master, confirmed=confirmed), master)


def turn(world: World, state: State, place: int, late: bool) -> State:
    """The guard does a step; late: so long after the last one that whoever owes an answer is lost."""
    own = state.servers[place]
    found = seen(world, state, place, DEGRADE_AFTER if late else 0.0)
    memory, act = asked(world.rules.step, own.memory, found)
    # the clock is set back: what was owed for too long stays so
    owed = tuple(each._replace(since=-DEGRADE_AFTER if found.now > each.since else 0.0) for each in memory.owed)
    changed: dict[str, t.Any] = {"memory": memory._replace(owed=owed)}
    if act.ask:
        changed["wishes"] = (*own.wishes, act.ask)
    if act.set:
        changed["setting"], changed["before"] = act.set[0], own.setting
    if act.granted is not None:
        wishes = changed.get("wishes", own.wishes)
        changed |= {"granted": act.granted, "wishes": tuple(each for each in wishes if each.number >= act.granted)}
    return released(server(state, place, **changed), place) if act.set else server(state, place, **changed)


def seen(world: World, state: State, place: int, now: float) -> guard.Seen:
    """What the guard of a server sees."""
    own = state.servers[place]
    standbys = tuple(
        guard.Standby(SERVERS[at], True, own.confirmed[at], True)
        for at in range(len(state.servers))
        if at != place and follows(state, at, place)
    )
    grants = tuple(
        guard.Grant(name(at), told.number, t.cast(t.Any, told.reason), told.timeline, told.other)
        for at, each in enumerate(state.witnesses)
        for told in [each.told[place]]
        if told != Grant()
    )
    answering = tuple(name(at) for at, each in enumerate(state.witnesses) if reaches(state, each, place))
    return guard.Seen(
        now, 0.0, t.cast(t.Any, world.mode), DEGRADE_AFTER, world.count, SERVERS[place], own.timeline, own.setting,
        False,
        own.before == own.setting, len(own.log), "", standbys, (), own.wishes, own.granted, grants,
        names(world.lists[state.listed]), answering, own.inherited,
    )  # fmt: skip


def grant(world: World, state: State, place: int, master: int, wish: Wish) -> State:
    """A witness keeps a wish, or refuses, and tells the master where that can be reached."""
    each = state.witnesses[place]
    answer = asked(world.rules.grant, record(each, place), wish, SYSTEM)
    before = each.told[master]
    told = Grant(wish.number) if answer.record else Grant(before.number, answer.reason, answer.timeline, answer.number)
    changed: dict[str, t.Any] = kept(world, answer.record) if answer.record else {}
    own = state.servers[master]
    if reaches(state, each, master) and own.up and own.role == MASTER and own.timeline == wish.timeline:
        changed["told"] = tuple(told if at == master else row for at, row in enumerate(each.told))
    return witness(state, place, slow=None, **changed)


# --- the failover


def start(world: World, state: State, candidate: int) -> State:
    """An operator begins a failover."""
    run = Run(candidate, state.servers[candidate].timeline + 1, f"run {state.runs + 1}")
    return forget(state)._replace(run=run, runs=state.runs + 1)


def forget(state: State) -> State:
    """What the witnesses have told a failover is in the memory of its run only."""
    return state._replace(run=None, witnesses=tuple(each._replace(answer=None) for each in state.witnesses))


def promise(world: World, state: State, place: int, timeline: int, candidate: int, run: str) -> State:
    """A promise is asked of a witness, and it answers the run that has asked for it, where that is still there."""
    each, now = state.witnesses[place], state.run
    before = record(each, place)
    answer = asked(world.rules.promise, before, timeline, SERVERS[candidate], 0.0, run, SYSTEM)
    waits = now is not None and (now.name, now.timeline) == (run, timeline) and reaches(state, each, CONTROLLER)
    state = witness(state, place, slow=None if each.slow and each.slow[0] == "promise" else each.slow)
    if answer.record:
        state = witness(state, place, **kept(world, answer.record))
        return witness(state, place, answer=Disk(before.promised, before.wish)) if waits else state
    if waits and now and answer.timeline >= timeline and not now.held:
        return forget(state)._replace(run=now._replace(timeline=answer.timeline + 1))
    return state


def proof(world: World, state: State) -> majority.Proof:
    """What the answers prove."""
    told = tuple(
        majority.Told(Record(SYSTEM, name(place), *each.answer), True)
        for place, each in enumerate(state.witnesses)
        if each.answer is not None
    )
    return t.cast(majority.Proof, asked(world.rules.prove, told))


def hold(world: World, state: State, found: majority.Proof) -> State | None:
    """Let standbys leave the old master; go on when the candidate is the furthest of enough of them."""
    run = state.run
    assert run
    assert found.claim
    left = [
        at
        for at, each in enumerate(state.servers)
        if SERVERS[at] in found.claim.standbys and each.up and each.role == STANDBY and linked(state, CONTROLLER, at)
    ]
    if run.candidate not in left or not world.rules.is_enough(found.claim, [SERVERS[at] for at in left]):
        return None
    if (
        max(left, key=lambda at: (state.servers[at].timeline, len(state.servers[at].log), at == run.candidate))
        != run.candidate
    ):
        return None
    for at in left:
        if world.rules.leaves_first or at == run.candidate:
            state = server(state, at, follows=None)
    return state._replace(run=run._replace(held=True))


def accept(state: State) -> State:
    """The operator accepts the loss: the old masters are off, and are fenced for good."""
    run = state.run
    assert run
    for at, each in enumerate(state.servers):
        if each.role == MASTER:
            state = server(state, at, role=FENCED)
    return server(state, run.candidate, follows=None)._replace(run=run._replace(held=True, accepted=True))


def activate(world: World, state: State) -> State:
    """The standby becomes the master of a new run."""
    run = state.run
    assert run
    found = proof(world, state)
    own = state.servers[run.candidate]
    state = state._replace(
        witnesses=tuple(
            each._replace(told=tuple(Grant() if at == run.candidate else told for at, told in enumerate(each.told)))
            for each in state.witnesses
        ),
        newest=run.candidate,
    )
    if run.accepted:
        # said so
        state = state._replace(acknowledged=state.acknowledged & set(own.log))
    state = server(
        state, run.candidate, role=MASTER, timeline=run.timeline, follows=None, waiting=(), wishes=(), granted=0,
        memory=guard.Memory(), inherited=guard.Inherited(found.number, found.lists), confirmed=(0, 0, 0),
    )  # fmt: skip
    return checked(forget(state))


def give_up(world: World, state: State) -> State:
    """The failover is refused: what it was promised is taken back where it can be."""
    run = state.run
    assert run
    for place, each in enumerate(state.witnesses):
        if reaches(state, each, CONTROLLER):
            found = world.rules.withdraw(record(each, place), run.timeline, SERVERS[run.candidate], run.name)
            if found:
                state = witness(state, place, **kept(world, found))
    return forget(state)


def resynchronise(world: World, state: State, place: int, master: int) -> State:
    """A server becomes a standby of the newest master, with all that this has."""
    source = state.servers[master]
    setting = HELD if world.rules.is_held else None
    fresh = Server(True, STANDBY, source.timeline, source.log, master, setting, setting)
    rows = tuple(
        each._replace(told=tuple(Grant() if at == place else told for at, told in enumerate(each.told)))
        for each in state.witnesses
    )
    state = state._replace(servers=tuple(fresh if at == place else each for at, each in enumerate(state.servers)))
    return state._replace(witnesses=rows)
