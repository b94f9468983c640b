# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""An operator who types only what he is told, and does at the machines only what he is asked for (S11).

He begins with the state; what it names first he types. A playbook that is refused or fails names what goes on. Where he
is asked for what only he can know ("if mdw is off for certain") he makes it true first. The texts are the real ones.
"""

from __future__ import annotations

import re
import shlex
import typing as t

from . import faults, life, promises, units
from .failure import PromiseBroken
from .run import WORKFLOWS, Run, state
from .world import CONTROLLER, World

PLAYBOOK = r"ansible-playbook hawq\.mirroring\.(?P<playbook>\w+)"
OPTIONS = r"(?P<options>(?: -e (?:'[^']*'|\"[^\"]*\"|[^\s;,()]*[^\s;,.:()]))*)"
TOKENS = re.compile(
    "|".join(
        (
            PLAYBOOK + OPTIONS,
            r"(?P<back>rm \S+ \S+ && systemctl start \S+)",
            r"systemctl (?P<verb>start|restart|stop|enable|reset-failed) [\w.@-]+(?: on (?P<unit_host>\w+))?",
            r"(?P<thaw>kill -CONT \d+)",
            r"(?P<touch>touch /\S+)",
            r"(?P<off>[Ss]witch (?P<off_host>\w+) off)",
            r"(?P<on>[Ss]witch \w+ on|[Bb]ring [\w' ]+ up)",
            r"(?P<mount>[Mm]ount it)",
            r"(?P<mend>[Mm]end the way|[Oo]pen the way)",
            r"(?:[Rr]un (?:this )?again with )?(?P<words>(?:-e [\w]+=[\w.,]+(?:,? (?:and )?)?)+)",
            r"(?P<again>[Rr]un (?:this|again|it again)|type the same again|run the whole playbook again)",
        )
    )
)
#: what has to be done before the same is typed again
REPAIR = re.compile(r"\. To \w+ it: ansible-playbook ")
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
            texts = advice_of(document)
            self.world.say("state: " + ("; ".join(texts) or "nothing to be done"))
            self.last = None
            while texts:
                if len(self.typed) >= most:
                    raise PromiseBroken(
                        f"no way home: {self._why()}", f"{most} commands did not lead home ({'; '.join(self.typed)})"
                    )
                texts = self._follow(texts)
            if not advice_of(document):
                raise PromiseBroken("no way home: nothing is named", "the state is not well, and names no command")

    def take_over(self, most: int = 3) -> None:
        """Make a standby the master, as the playbook asks for it; whether that works is not promised here."""
        texts = self._play("failover", {}, "")
        try:
            while texts and not self.world.writers() and len(self.typed) < most:
                texts = self._follow(texts) or (self._play("failover", {}, "") if not self.world.writers() else [])
        except PromiseBroken as error:
            if not error.what.startswith("no way home"):
                raise

    def _why(self) -> str:
        return kind_of(self.told) + troubles(self.world)

    def _wait(self) -> None:
        for _each in range(PAUSE // 10):
            life.settle(self.world, 10)
        masters = [host for host in self.world.hosts.values() if host.data and not host.data.signal]
        if len(masters) < 2:
            self.world.wrong.clear()

    def _follow(self, texts: list[str]) -> list[str]:
        """Do the first thing that is named; return what the playbook says then, or nothing when it is time to look."""
        self.told = texts
        for text in texts:
            tokens = list(TOKENS.finditer(text))
            done, missed = False, -1
            for token in tokens:
                between = text[: token.start()]
                if token["playbook"] and between.rstrip().endswith("on purpose:"):
                    return []  # he has not come for that
                if token["again"] and not done and (missed >= between.rfind(". ") or REPAIR.search(text, token.end())):
                    continue
                if done and re.search(r"\b[Oo]r\b", between.rpartition(".")[2]):
                    return []
                answer = self._do(token, text)
                if answer is not None and answer is not True:
                    return t.cast("list[str]", answer)
                done = done or answer is True
                if answer is None and not token["playbook"]:
                    missed = token.start()
            if done:
                return []
        raise PromiseBroken(f"no way home: {self._why()}", "nothing is named that could be done: " + " / ".join(texts))

    def _do(self, token: re.Match[str], text: str) -> list[str] | bool | None:
        """Do it: texts are what a playbook says then, True something at a machine, None nothing that could be done."""
        group, before = token.groupdict(), text[: token.start()]
        if group["playbook"]:
            options = dict(each.split("=", 1) for each in shlex.split(group["options"]) if "=" in each)
            return self._play(group["playbook"], options, before)
        if group["words"]:
            return self._with(dict(re.findall(r"-e (\w+)=([\w.,]*\w)", group["words"])), before)
        if group["again"]:
            return self._play(*self.last, before) if self.last else None
        if group["verb"]:
            host = group["unit_host"] or self._named(before)
            return self._systemctl(group["verb"], host) if host else None
        if group["thaw"] or group["touch"] or group["back"]:
            return [] if self._type_there(group, self._named(text if group["back"] else before)) else None
        return self._at_the_machine(group) or None

    def _play(self, playbook: str, options: dict[str, t.Any], before: str) -> list[str] | None:
        if playbook == "state":
            return None
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
        return [] if run.ended in ("done", "killed") else said

    def _with(self, options: dict[str, str], before: str) -> list[str] | None:
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
        found = [(before.rfind(name), name) for name in self.world.hosts if re.search(rf"\b{name}\b", before)]
        return max(found)[1] if found else None

    def _systemctl(self, verb: str, name: str) -> list[str] | None:
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
        return [f"{name}: {why}"] if why else []

    def _type_there(self, group: dict[str, str | None], name: str | None) -> bool:
        host = self.world.hosts.get(name or "")
        if host is None or not host.on:
            return False
        if group["thaw"]:
            if not host.server or not host.server.frozen:
                return False
            host.server.frozen = False
        elif group["touch"]:
            host.unit.permitted = True
        elif host.data:
            host.data.signal, host.data.fence = False, None
            units.start(self.world, host)
        self.typed.append(f"{group['thaw'] or group['touch'] or group['back']} on {name}")
        self.world.say(f"he types {self.typed[-1]}")
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
        if group["mount"]:
            for host in world.hosts.values():
                done = bool(faults.mount(world, host.name)) or done
        if group["mend"]:
            done = bool(world.cut)
            world.cut.clear()
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
        if data and data.signal and data.fence and server:
            found.append("the standby is fenced")
        if server and server.crowded:
            found.append("sessions are taken")
        if server and server.blocked:
            found.append("replay is held up")
        if data and data.signal and data.connections < data.end.needs:
            found.append("a setting is below the master's")
    if not any(host.data and host.data.signal and not host.data.fence for host in world.hosts.values()):
        found.append("there is no standby")
    return f" [{', '.join(dict.fromkeys(found))}]" if found else ""


def kind_of(texts: list[str]) -> str:
    """Return what an advice is about, in the words that do not differ from host to host."""
    text = re.sub(r"\b(s?mdw|sdw\d)\b", "HOST", " ".join(texts)[:90])
    return re.sub(r"[0-9A-F]+/[0-9A-F]+|\d+", "N", text)
