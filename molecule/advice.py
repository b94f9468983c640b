# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""An operator who types only what the playbooks tell him, and does at the machines only what he is asked for (S11).

He is the operator of the simulated life, and reads as that one does. Only that what he does is done on real hosts.
"""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import time
import typing as t
from pathlib import Path

from harness import DATA, SERVICE, Running, accepts_writes, lab, on
from simulation import advice
from simulation.failure import PromiseBroken

#: what a playbook may take on a machine that is busy
SECONDS = 600
#: he looks again so often where he is told to wait, and waits so long before
WAITS, PAUSE = 20, 5
PRINTED = 1000


class LostError(AssertionError):
    """What he was told did not bring him home."""


class Lab:
    """The hosts, and the story of what he was told, typed and did."""

    def __init__(self, hosts: t.Sequence[str]) -> None:
        """Begin with an empty story."""
        self.hosts = dict.fromkeys(hosts)
        self.story: list[str] = []

    def say(self, sentence: str) -> None:
        """Add to the story, and tell it at once."""
        self.story.append(sentence)
        print(sentence, flush=True)

    def writers(self) -> list[str]:
        """Return the hosts that accept writes."""
        return [host for host in self.hosts if _answers(host) and accepts_writes(host)]


class Operator(advice.Operator):
    """Follows advice, and remembers what he has typed."""

    def __init__(self, hosts: t.Sequence[str], folder: Path) -> None:
        """Look after these hosts; reports are read from files in the folder."""
        super().__init__(Lab(hosts))
        self.hosts, self.story = hosts, self.world.story
        self._folder = folder
        self._token: re.Match[str] | None = None
        self._waited = 0

    def forget(self) -> None:
        """Begin anew: nothing is typed, nothing decided."""
        self.typed, self.decided, self.keeps, self.last, self._waited, self.over = [], [], None, None, 0, False
        self.story.clear()

    def look(self) -> dict[str, t.Any]:
        """Run state.yml; return its document."""
        file = self._folder / "state.json"
        file.unlink(missing_ok=True)
        _code, output = Running("state", "-e", f"state_file={file}", "-e", "state_fail=false").end(SECONDS)
        assert file.exists(), output
        found: dict[str, t.Any] = json.loads(file.read_text())
        texts = "; ".join(advice.advice_of(found))
        self.world.say(f"state: exit code {found['exit_code']}; {texts or 'nothing to do'}")
        return found

    def home(self, most: int) -> None:
        """Follow the advice until state.yml calls a pair well; fail after so many commands.

        That the master has no standby, and none is expected, is no end: the note of it names what makes one.
        """
        while not self._is_home(document := self.look()):
            named = texts = advice.advice_of(document)
            if not named:
                raise self._lost("the state is not well, and names no command")
            self.last = None
            while texts:
                if len(self.typed) - self._waited >= most + advice.AFTER * bool(self.decided) or self._waited > WAITS:
                    raise self._lost("so many commands did not lead home: " + "; ".join(self.typed))
                texts = self._try(texts, may_look=texts is not named)
                if self.over:
                    return
            self._wait()

    def fail_over(self) -> None:
        """Fail over at once, with what is asked for where a host is off: state.yml has said that this works."""
        answer = self._play("failover", {}, "")
        while isinstance(answer, list) and answer:
            if not any("master_is_down=true" in each or "fence_command" in each for each in answer):
                raise self._lost("state.yml called it well, and the failover is refused")
            answer = self._try(answer)

    @staticmethod
    def _is_home(document: dict[str, t.Any]) -> bool:
        return document["exit_code"] == 0 and bool(document["standbys"]) and len(document["masters"]) == 1

    def _lost(self, why: str) -> LostError:
        return LostError("\n".join([why, *self.story]))

    def _try(self, texts: list[str], may_look: bool = False) -> list[str]:
        try:
            return self._follow(texts, may_look)
        except PromiseBroken as error:
            raise self._lost(error.sentence) from error

    def _why(self) -> str:
        return ""

    def _begin_anew(self) -> list[str] | None:
        """Give up, where no host has data left that a server could use."""
        whole = f"[ -e {DATA}/PG_VERSION ] && [ ! -e {DATA}.hawq-unfinished ]"
        if not all(_answers(host) for host in self.hosts) or any(_type(host, whole)[0] == 0 for host in self.hosts):
            return None
        self.decided.append("to restore a backup")
        self.over = True
        return []

    def _is_told(self) -> None:
        self.decided.append("whose work is right")

    def _gives_up(self, text: str) -> None:
        """Count nothing as given up: here the ledger tells what is lost."""

    def _wait(self) -> None:
        time.sleep(PAUSE)

    def _look_later(self, before: str) -> bool | None:
        answer = super()._look_later(before)
        self._waited += bool(answer)
        return answer

    def _do(self, token: re.Match[str], text: str) -> list[str] | bool | None:
        self._token = token
        return super()._do(token, text)

    def _play(self, playbook: str, options: dict[str, t.Any], before: str) -> list[str] | bool | None:
        if playbook == "state":
            return self._look_later(before)
        if options.get("master_is_down"):
            self._make_true(before)
        self.last = (playbook, options)
        arguments = [word for name, value in options.items() for word in ("-e", f"{name}={value}")]
        file = self._folder / "report.json"
        file.unlink(missing_ok=True)
        self.typed.append(shlex.join([playbook, *arguments]))
        code, output = Running(playbook, *arguments, "-e", f"report_file={file}").end(SECONDS)
        report = json.loads(file.read_text()) if file.exists() else {"why": [output[-3 * PRINTED :]]}
        refusals = [f"{row['found']}: {row['why']}. {row['command']}" for row in report.get("refusals") or []]
        said = [] if code == 0 else refusals or [*(report.get("why") or []), *(report.get("next") or [])]
        self.world.say("\n".join([f"he types {self.typed[-1]}: exit code {code}", *(f"  {each}" for each in said)]))
        return True if code == 0 else said

    def _make_true(self, before: str) -> None:
        """Who says that a host is off has looked, and switches it off where it is not."""
        silent = [host for host in self.hosts if not _answers(host)]
        for host in [host for host in silent if re.search(rf"\b{host}\b", before)] or silent:
            lab("power-off", host)
            self.world.say(f"he makes sure that {host} is off")

    def _systemctl(self, verb: str, name: str) -> list[str] | bool | None:
        """Type it; return what the unit's log says when it does not start."""
        if not _answers(name) or (verb == "start" and _type(name, f"systemctl is-active {SERVICE}")[0] == 0):
            return None
        assert self._token
        command = self._token[0].split(" on ")[0]
        code = self._types(name, command)
        if code == 0 or verb not in ("start", "restart"):
            return True
        return [f"{name}: " + _type(name, f"journalctl -u {SERVICE} -n 12 -o cat")[1]]

    def _type_there(self, group: dict[str, str | None], name: str | None) -> bool:
        if not name or not _answers(name):
            return False
        assert self._token
        as_user = "cd / && runuser -u gpadmin -- "
        command = self._token[0].split(" on ")[0]
        if group["set"]:
            value = f"ALTER SYSTEM SET max_connections = {group['value']}"
            command = f'{as_user}psql -h /tmp -d postgres -c "{value}" && systemctl restart {SERVICE}'
        elif group["end"]:
            command = f"cd / && {command}"
        return self._types(name, command) == 0

    def _types(self, host: str, command: str) -> int:
        self.typed.append(f"{command} on {host}")
        code, printed = _type(host, command)
        self.world.say(f"he types {self.typed[-1]}: exit code {code} {printed}")
        return code

    def _at_the_machine(self, group: dict[str, str | None]) -> bool:
        before = lab("status")
        if group["off"] and group["off_host"] in self.hosts:
            lab("power-off", str(group["off_host"]))
        if group["on"] or group["mend"]:
            for each in self.hosts:
                lab("plug", each)
                lab("join", "controller", each)
                lab("thaw", each)
                lab("power-on", each)
            lab("join", *self.hosts)
        done = lab("status") != before
        if done:
            word = next(name for name in ("off", "on", "mount", "mend") if group[name])
            self.world.say(f"he does at the machines what he is asked for ({group[word]})")
        return done


def _answers(host: str) -> bool:
    try:
        return on(host, "echo yes", check=False, seconds=60) == "yes"
    except subprocess.TimeoutExpired:
        return False


def _type(host: str, command: str) -> tuple[int, str]:
    """Run a command as root; return its exit code and the end of what it prints."""
    printed = on(host, f'timeout 120 bash -c {shlex.quote(command)} 2>&1; echo "\n$?"', check=False)
    text, _line, code = printed.rpartition("\n")
    return int(code or "255"), text.strip()[-PRINTED:]
