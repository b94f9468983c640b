# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""An operator who types only what he is told, and does at the machines only what he is asked for (S11).

He begins with the state; what it names first he types. A playbook that is refused or fails names what goes on. Where he
is asked for what only he can know ("if mdw is off for certain") he makes it true first. The texts are the real ones.
"""

from __future__ import annotations

import functools
import operator
import re
import shlex
import typing as t

from . import faults, life, promises, units
from .failure import PromiseBroken
from .run import WORKFLOWS, Run, state
from .world import CONTROLLER, World

PLAYBOOK = r"ansible-playbook (?:-i \S+ )*hawq\.mirroring\.(?P<playbook>\w+)"
OPTIONS = r"(?P<options>(?: -e (?:'[^']*'|\"[^\"]*\"|[^\s;,()]*[^\s;,.:()]))*)"
TOKENS = re.compile(
    "|".join(
        (
            PLAYBOOK + OPTIONS,
            r"(?P<back>rm \S+ \S+ (?:&&|and) systemctl start [\w.@-]+(?: on (?P<back_host>\w+))?)",
            r"(?P<end>runuser -u \S+ -- \S+psql -h \S+ -p \d+ -d \w+ -c \"SELECT pg_terminate_backend\(\d+\)\")",
            r"(?P<forget>rm \S+\.fence)(?! \S*standby)(?: on (?P<forget_host>\w+))?",
            r"(?P<set>Set max_connections = (?P<value>\d+) on (?P<set_host>\w+) and restart it)",
            r"(?P<kill>kill -INT \d+)",
            r"systemctl (?P<verb>start|restart|stop|enable|reset-failed) [\w.@-]+(?: on (?P<unit_host>\w+))?",
            r"(?P<anew>restore a backup)",
            r"(?P<thaw>kill -CONT \d+ \$\(pgrep -P \d+\))",
            r"(?P<touch>touch /\S+(?: on (?P<touch_host>\w+))?)",
            r"(?P<off>[Ss]witch (?P<off_host>\w+) off)",
            r"(?P<on>[Ss]witch [\w ]+ on\b|[Bb]ring up what is waited for|[Bb]ring (?:[\w' ]+ )?up)",
            r"(?P<mount>[Mm]ount it|is its file system mounted|file system of its data is not mounted)",
            r"(?P<mend>[Mm]end the (?:way|login)|[Oo]pen the way|until this works as)",
            r"(?:[Rr]un (?:this )?again with )?(?P<words>(?:-e [\w]+=(?!HOST)[\w.,]+(?:,? (?:and )?)?)+)",
            r"(?P<again>[Rr]un (?:this|again|it again)|type the same again|run the whole playbook again)",
        )
    )
)
#: what separates one way from another
OTHERWISE = re.compile(r"\b[Oo]r\b|[.;] ")
#: what has to be done before the same is typed again
REPAIR = re.compile(r"\. To \w+ it: ansible-playbook ")
#: both ways where either of two hosts may be right
KEEP = re.compile(r"To keep what (\w+) has: .*?To give it up for what (\w+) has: ")
#: commands that lead home from a decision
AFTER = 4
#: seconds that he takes between two commands
PAUSE = 40


class Home(t.NamedTuple):
    """How he came home: what he typed, and what he had to decide."""

    typed: list[str]
    decided: list[str]


class Operator:
    """He remembers what he has typed."""

    def __init__(self, world: World) -> None:
        """Begin with nothing typed."""
        self.world = world
        self.typed: list[str] = []
        self.decided: list[str] = []
        self.last: tuple[str, dict[str, t.Any]] | None = None
        self.told: list[str] = []
        #: the host whose work is right, as he has decided
        self.keeps: str | None = None
        #: nothing whole is left, and he is told so: what comes is no matter of these playbooks
        self.over = False
        #: moments after which the controller dies in his next run
        self.dies: int | None = None

    def advised(self, moments: int) -> str:
        """Type what the state names first; the controller dies so many moments later."""
        self.dies = moments
        texts = advice_of(state(self.world))
        if texts and not at_home(self.world, state(self.world)):
            try:
                self._follow(texts)
            except PromiseBroken as error:
                if not error.what.startswith("no way home"):
                    raise
        return "the controller dies meanwhile" if self.dies is None else ""

    def home(self, most: int) -> Home:
        """Follow the advice until all is well; break the promise after so many commands, or when nothing is named."""
        while True:
            self._wait()
            document = state(self.world)
            if at_home(self.world, document):
                return Home(self.typed, self.decided)
            texts = named = advice_of(document)
            self.world.say("state: " + ("; ".join(texts) or "nothing to be done"))
            self.last = None
            while texts:
                # to come to a decision is an end as well; he may go on from there, and not in a circle
                if len(self.typed) >= most + AFTER * bool(self.decided):
                    raise PromiseBroken(
                        f"no way home: {self._why()}", f"{most} commands did not lead home ({'; '.join(self.typed)})"
                    )
                texts = self._follow(texts, may_look=texts is not named)
                if self.over:
                    return Home(self.typed, self.decided)
            if not named:
                raise PromiseBroken("no way home: nothing is named", "the state is not well, and names no command")

    def take_over(self, most: int = 3) -> None:
        """Make a standby the master, as the playbook asks for it; whether that works is not promised here."""
        texts = self._play("failover", {}, "")
        try:
            while isinstance(texts, list) and texts and not self.world.writers() and len(self.typed) < most:
                texts = self._follow(texts) or (self._play("failover", {}, "") if not self.world.writers() else [])
        except PromiseBroken as error:
            if not error.what.startswith("no way home"):
                raise

    def _why(self) -> str:
        return kind_of(self.told) + troubles(self.world)

    def _is_told(self) -> None:
        """Two hosts may be right, and he decides: what the other one alone has is given up with open eyes."""
        held = [host.data.end.rows for host in self.world.hosts.values() if host.data]
        everywhere = functools.reduce(operator.and_, held)
        self.world.told |= promises.acknowledged(self.world) & ~everywhere
        self.decided.append("whose work is right")

    def _gives_up(self, text: str) -> None:
        """He decides for the one, and is told that what the other one alone has goes with that."""
        for name, host in self.world.hosts.items():
            if host.data and f"what {name} alone has written is given up" in text and self.keeps != name:
                others = [each.data.end.rows for each in self.world.hosts.values() if each.data and each is not host]
                self.world.accepted |= host.data.end.rows & ~functools.reduce(operator.or_, others, 0)

    def _wait(self) -> None:
        for _each in range(PAUSE // 10):
            life.settle(self.world, 10)
        masters = [host for host in self.world.hosts.values() if host.data and not host.data.signal]
        if len(masters) < 2:
            self.world.wrong.clear()

    def _follow(self, texts: list[str], may_look: bool = False) -> list[str]:
        """Do the first thing that is named; return what the playbook says then, or nothing when it is time to look.

        Where a run that has failed names nothing that could be done he looks at the state.
        """
        self.told = texts
        for text in texts:
            if "decide whose work is right" in text:
                self._is_told()
            both = KEEP.search(text)
            if both and not self.keeps:
                self.keeps = both[1]
                self.decided.append(f"what {both[1]} has is right")
            self._gives_up(text)
            answer = self._read(text)
            if answer is not None:
                return answer
        if may_look:
            return []
        raise PromiseBroken(f"no way home: {self._why()}", "nothing is named that could be done: " + " / ".join(texts))

    def _read(self, text: str) -> list[str] | None:
        """Do what a sentence says, and what it says to do then; None when there is nothing that he could do."""
        done, missed, last = False, -1, 0
        for token in TOKENS.finditer(text):
            before = text[: token.start()]
            if done and OTHERWISE.search(text[last : token.start()]):
                return []
            if self.keeps and (found := KEEP.search(text)) and found[2] == self.keeps and token.start() < found.end():
                continue  # he has decided that before
            if token["playbook"] and before.rstrip().endswith("on purpose:"):
                return []  # he has not come for that
            if "stale_seconds" in (token["options"] or ""):
                continue  # he does not know when it went down
            if token["again"] and not done and (missed >= before.rfind(". ") or REPAIR.search(text, token.end())):
                continue
            answer = self._do(token, text)
            if isinstance(answer, list):
                return answer
            if answer:
                done, last = True, token.end()
            elif not token["playbook"]:
                missed = token.start()
        return [] if done else None

    def _do(self, token: re.Match[str], text: str) -> list[str] | bool | None:
        """Do it: texts are what a playbook says then, True that it is done, None nothing that could be done."""
        group, before = token.groupdict(), text[: token.start()]
        if group["playbook"]:
            options = dict(each.split("=", 1) for each in shlex.split(group["options"]) if "=" in each)
            return self._play(group["playbook"], options, before)
        if group["anew"]:
            return self._begin_anew()
        if group["words"]:
            return self._with(dict(re.findall(r"-e (\w+)=([\w.,]*\w)", group["words"])), before)
        if group["again"]:
            return self._play(*self.last, before) if self.last else None
        if group["verb"] or group["kill"]:
            host = group["unit_host"] or self._named(before)
            return self._systemctl(group["verb"] or "stop", host) if host else None
        if group["touch"] and "is switched off, or is no master" in before:
            self._make_true(before)
        if any(group[name] for name in ("thaw", "touch", "back", "end", "forget", "set")):
            host = group["touch_host"] or group["back_host"] or group["set_host"]
            host = host or group["forget_host"] or self._named(text if group["back"] else before)
            return self._type_there(group, host) or None
        return self._at_the_machine(group) or None

    def _begin_anew(self) -> list[str] | None:
        """Give up, where nothing is left that a server could use, mounted or not."""
        held = [data for host in self.world.hosts.values() for data in (host.data, host.hidden) if data]
        if not all(data.unfinished for data in held):
            return None
        self.decided.append("to restore a backup")
        self.over = True
        return []

    def _look_later(self, before: str) -> bool | None:
        """Wait where he is told to; to look again is what he does anyway."""
        if not before.rstrip().endswith("wait, then look again:"):
            return None
        self.typed.append("wait")
        self._wait()
        return True

    def _play(self, playbook: str, options: dict[str, t.Any], before: str) -> list[str] | bool | None:
        if playbook == "state":
            return self._look_later(before)
        if playbook not in WORKFLOWS:
            raise PromiseBroken(
                f"no way home: {playbook} is named", f"{playbook} would make a new system beside what there is"
            )
        given = {name: {"true": True, "false": False}.get(value, value) for name, value in options.items()}
        if given.get("ignore_witness"):
            given["ignore_witness"] = str(given["ignore_witness"]).split(",")
        if given.get("master_is_down"):
            self._make_true(before)
        self.last = (playbook, options)
        self.typed.append(" ".join([playbook, *(f"{name}={value}" for name, value in options.items())]))
        run = Run(self.world, playbook, given)
        if self.dies is None:
            run.go()
        else:
            run.kill(self.dies)
            self.dies = None
        said = said_by(run)
        self.world.say(f"he types {self.typed[-1]}: {run.ended}" + "".join(f"; {each}" for each in said))
        return True if run.ended == "done" else [] if run.ended == "killed" else said

    def _with(self, options: dict[str, str], before: str) -> list[str] | bool | None:
        """Type the same again with more options."""
        if self.last is None:
            return None
        playbook, given = self.last
        if all(str(given.get(name)) == value for name, value in options.items()):
            return None
        if "accept_data_loss" in options or "existing_data" in options:
            self.decided.append(f"{playbook} {options}")
        return self._play(playbook, {**given, **options}, before)

    def _make_true(self, before: str) -> None:
        """Who says that a host is off has looked, and switches it off where it is not."""
        names = [name for name in self.world.hosts if re.search(rf"\b{name}\b", before)]
        dead = [name for name in names if not self.world.reaches(CONTROLLER, name) or name in before.rpartition(".")[2]]
        for name in dead or [name for name in self.world.hosts if not self.world.reaches(CONTROLLER, name)]:
            host = self.world.hosts[name]
            if host.on and (not self.world.reaches(CONTROLLER, name) or host.data is None):
                units.power_off(self.world, host)
                self.world.say(f"he makes sure that {name} is off")

    def _named(self, before: str) -> str | None:
        """Return the host that was named last."""
        found = [(match.start(), name) for name in self.world.hosts for match in re.finditer(rf"\b{name}\b", before)]
        return max(found)[1] if found else None

    def _systemctl(self, verb: str, name: str) -> list[str] | bool | None:
        """Type it; return what the unit's log says when it does not start."""
        host = self.world.hosts.get(name)
        if host is None or not host.on or (verb == "start" and host.server):
            return None
        self.typed.append(f"systemctl {verb} on {name}")
        if verb in ("stop", "restart") and host.server:
            if len(self.world.writers()) > 1:
                self.decided.append(f"{name} is not wanted")
            faults.stop(self.world, name) if not host.server.frozen else faults.crash(self.world, name)
        host.unit.active = "inactive" if verb == "stop" else host.unit.active
        if verb == "enable":
            host.unit.enabled = True
        if verb in ("start", "restart"):
            units.start(self.world, host)
        self._wait()
        why = host.log if verb in ("start", "restart") and not host.server else ""
        self.world.say(f"he types {self.typed[-1]}" + (f": {why}" if why else ""))
        return [f"{name}: {why}"] if why else True

    def _type_there(self, group: dict[str, str | None], name: str | None) -> bool:
        host = self.world.hosts.get(name or "")
        if host is None or not host.on:
            return False
        if group["thaw"]:
            if not host.server or not host.server.frozen:
                return False
            host.server.frozen = False
        elif group["touch"]:
            host.unit.permitted = float("inf")
            if re.search("decide which one|has the same right", " ".join(self.told)) and not self.keeps:
                self.keeps = host.name
                self.decided.append(f"what {host.name} has is right")
        elif group["end"]:
            if not host.server or not host.server.blocked:
                return False
            host.server.blocked = False
        elif group["forget"]:
            if not host.data or not host.data.fence:
                return False
            host.data.fence = None
        elif group["set"] and host.data:
            host.data.connections = int(str(group["value"]))
            faults.stop(self.world, host.name)
            units.start(self.world, host)
        elif host.data:
            host.data.signal, host.data.fence = False, None
            units.start(self.world, host)
        typed = str(next(group[name] for name in ("thaw", "touch", "back", "end", "forget", "set") if group[name]))
        self.typed.append(typed if typed.endswith(host.name) else f"{typed} on {host.name}")
        self.world.say(f"he types {self.typed[-1]}")
        self._wait()
        return True

    def _at_the_machine(self, group: dict[str, str | None]) -> bool:
        world, done = self.world, False
        if group["off"] and group["off_host"] in world.hosts:
            host = world.hosts[str(group["off_host"])]
            done = host.on
            units.power_off(world, host)
        if group["on"]:
            for name, host in world.hosts.items():
                done = done or not host.on
                units.power_on(world, host)
                if frozenset((CONTROLLER, name)) in world.cut:
                    world.cut.discard(frozenset((CONTROLLER, name)))
                    done = True
            if "what is waited for" in str(group["on"]):
                done = done or bool(world.cut)
                world.cut.clear()
        if group["mount"]:
            for host in world.hosts.values():
                done = bool(faults.mount(world, host.name)) or done
        if group["mend"]:
            done = bool(world.cut) or not all(host.on for host in world.hosts.values())
            world.cut.clear()
            for host in world.hosts.values():
                units.power_on(world, host)
        if done:
            word = next(name for name in ("off", "on", "mount", "mend") if group[name])
            world.say(f"he does at the machines what he is asked for ({group[word]})")
            self._wait()
        return done


def said_by(run: Run) -> list[str]:
    """Return what a run that was refused or has failed says of how to go on."""
    return [*(row.sentence() for row in run.refusals), *([] if run.refusals else run.messages), *run.advice]


def advice_of(document: dict[str, t.Any]) -> list[str]:
    """Return what the state names, the problems first."""
    rows = [*document["problems"], *document["notes"]]
    return [row if isinstance(row, str) else f"{row['text']}: {row.get('command') or ''}" for row in rows]


def at_home(world: World, document: dict[str, t.Any]) -> bool:
    """Whether there is one master with a synchronised standby, and the state says so."""
    if document["problems"] or not document["standbys"] or len(document["masters"]) != 1:
        return False
    data = world.hosts[document["masters"][0]].data
    promises.nothing_left_behind(world, document["masters"][0])
    return data is not None


def troubles(world: World) -> str:
    """Return what is the matter with standbys, so that faults are told apart."""
    found = []
    for host in world.hosts.values():
        server, data = host.server, host.data
        if data and data.signal and data.fenced and server:
            found.append("the standby is fenced")
        if server and server.crowded:
            found.append("sessions are taken")
        if server and server.blocked:
            found.append("replay is held up")
        if data and data.signal and data.connections < data.end.needs:
            found.append("a setting is below the master's")
    if not any(host.data and host.data.signal and not host.data.fenced for host in world.hosts.values()):
        found.append("there is no standby")
    return f" [{', '.join(dict.fromkeys(found))}]" if found else ""


def kind_of(texts: list[str]) -> str:
    """Return what an advice is about, in the words that do not differ from host to host."""
    text = re.sub(r"\b(s?mdw|sdw\d)\b", "HOST", " ".join(texts)[:90])
    return re.sub(r"[0-9A-F]+/[0-9A-F]+|\d+", "N", text)
