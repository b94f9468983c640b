# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""An operator who types only what the playbooks tell him, and does at the machines only what they ask for.

He begins with state.yml. What it names first he types; a playbook that refuses or fails names the next command in its report.
Where the playbooks ask him for something that only he knows ("if mdw is off for certain") he looks at the machine.
"""

from __future__ import annotations

import json
import re
import shlex
import typing as t
from pathlib import Path

from harness import Running, lab, on

PLAYBOOK = re.compile(r"ansible-playbook(?: -i \S+)* hawq\.mirroring\.(\w+)((?: -e (?:'[^']*'|\"[^\"]*\"|[^\s;,()]*[^\s;,.:()]))*)")
UNIT = re.compile(r"systemctl (start|restart|enable|unmask|reset-failed) ([\w@.-]+?\.service|[\w@-]+)(?: on (\w+))?")
TOUCH = re.compile(r"touch (/run/[\w.-]+)(?: on (\w+))?")
ON = re.compile(r"([Ss]witch|[Bb]ring) (\w+?)(?:'s host)?(?: and its server| and server)? (?:on|up)\b|[Bb]ring (?:it|that host|its host) up")
NETWORK = re.compile(r"[Mm]end the (?:way|network|connection)|firewall|[Oo]pen the port|must reach")
#: what a playbook may take
SECONDS = 420


class LostError(AssertionError):
    """What he was told did not bring him home."""


class Operator:
    """Follows advice, and remembers what he has typed."""

    def __init__(self, hosts: t.Sequence[str], folder: Path) -> None:
        """Look after these hosts; reports are read from files in the folder."""
        self.hosts = hosts
        self.typed: list[str] = []
        #: everything that he was told or did, for the story of a round that fails
        self.story: list[str] = []
        self._folder = folder

    def look(self) -> dict[str, t.Any]:
        """Run state.yml; return its document."""
        file = self._folder / "state.json"
        file.unlink(missing_ok=True)
        run = Running("state", "-e", f"state_file={file}", "-e", "state_fail=false")
        _code, output = run.end(SECONDS)
        assert file.exists(), output
        found: dict[str, t.Any] = json.loads(file.read_text())
        self.story.append(f"state: exit code {found.get('exit_code')}; {'; '.join(advice_of(found)) or 'nothing to do'}")
        return found

    def home(self, most: int) -> None:
        """Follow the advice until state.yml says that all is well; fail after so many commands, or when nothing is named."""
        while self.look()["exit_code"]:
            document = json.loads((self._folder / "state.json").read_text())
            texts = advice_of(document)
            while texts:
                if len(self.typed) >= most:
                    raise LostError("\n".join(["too many commands:", *self.story]))
                texts = self._follow(texts)

    def must_fail_over(self, master: str) -> None:
        """Fail over at once, with what is asked for; state.yml has said before that this works."""
        told = self._play("failover", [], "")
        if any("master_is_down=true" in each for each in told):
            told = self._play("failover", ["-e", "master_is_down=true"], master)
        if self.story[-1].startswith("  ") or told:
            raise LostError("\n".join(["a failover was refused:", *self.story]))

    def _follow(self, texts: list[str]) -> list[str]:
        """Do the first thing that is named; return what the playbook says then, or nothing when it is time to look."""
        for text in texts:
            found = PLAYBOOK.search(text)
            ask = ON.search(text)
            if ask and not (found and found.start() < ask.start() and not self._all_on()):
                before = self._all_on()
                self._switch_on(ask[2])
                if not before:
                    return []
            if NETWORK.search(text) and self._mend_network():
                return []
            unit = UNIT.search(text)
            if unit and (not found or unit.start() < found.start()):
                self._type_on(unit[3] or self._named(text, unit.start()), unit[0].split(" on ")[0])
                return []
            if found:
                return self._play(found[1], shlex.split(found[2]), text)
            touch = TOUCH.search(text)
            if touch:
                self._type_on(touch[2] or self._named(text, touch.start()), f"touch {touch[1]}")
                return []
        raise LostError("\n".join(["nothing is named that could be done:", *texts, "", *self.story]))

    def _play(self, playbook: str, arguments: list[str], text: str) -> list[str]:
        """Run a playbook; return what it names next when it has refused or failed."""
        if "master_is_down=true" in arguments:
            self._make_sure_of_what_is_said(text)
        file = self._folder / "report.json"
        file.unlink(missing_ok=True)
        self.typed.append(shlex.join([playbook, *arguments]))
        code, output = Running(playbook, *arguments, "-e", f"report_file={file}").end(SECONDS)
        self.story.append(f"{self.typed[-1]}: exit code {code}")
        if code == 0 or playbook == "state":
            return []
        report = json.loads(file.read_text()) if file.exists() else {}
        told = [row["command"] for row in report.get("refusals") or []] or list(report.get("next") or [])
        self.story += [f"  {row['found']}: {row['why']}. {row['command']}" for row in report.get("refusals") or []]
        self.story += [f"  {why}" for why in report.get("why") or []]
        if not report:
            self.story.append(output[-3000:])
        # the same again is no advice of its own: look first
        return [each for each in told if PLAYBOOK.search(each) or ON.search(each) or UNIT.search(each)]

    def _make_sure_of_what_is_said(self, text: str) -> None:
        """Who says that a host is off has looked: one that is cut off or frozen he switches off first, as he is told to."""
        for host in self.hosts:
            if host in text and not self._answers(host):
                lab("power-off", host)
                self.story.append(f"he makes sure that {host} is off")

    def _answers(self, host: str) -> bool:
        return on(host, "echo yes", check=False, seconds=20) == "yes"

    def _power(self) -> dict[str, str]:
        rows = [line.split() for line in lab("status").splitlines()]
        return {row[0]: row[1] for row in rows if len(row) > 1 and row[0] in self.hosts}

    def _all_on(self) -> bool:
        return all(power == "on" for power in self._power().values())

    def _switch_on(self, name: str | None) -> None:
        for host, power in self._power().items():
            if name in (None, host, "the") or name not in self.hosts:
                lab("plug", host)
                if power == "frozen":
                    lab("thaw", host)
                if power != "on":
                    self.story.append(f"he switches {host} on")
                lab("power-on", host)

    def _mend_network(self) -> bool:
        before = lab("status")
        for host in self.hosts:
            lab("plug", host)
            lab("join", "controller", host)
        lab("join", *self.hosts[:2])
        self.story.append("he mends the network")
        return lab("status") != before

    def _named(self, text: str, before: int) -> str:
        """Return the host that a sentence speaks of where it says "there"."""
        places = [(text.rfind(host, 0, before), host) for host in self.hosts]
        place, host = max((match.end(), host) for host in self.hosts for match in re.finditer(rf"\b{host}\b", text[:before])) if any(
            place >= 0 for place, _host in places
        ) else (0, self.hosts[0])
        return host

    def _type_on(self, host: str, command: str) -> None:
        self.typed.append(f"{command} on {host}")
        printed = on(host, f"timeout 60 {command} 2>&1; echo exit code $?", check=False)
        self.story.append(f"{self.typed[-1]}: {printed}")


def advice_of(document: dict[str, t.Any]) -> list[str]:
    """Return what state.yml names, the problems first."""
    found = []
    for row in [*document["problems"], *document["notes"]]:
        found.append(row if isinstance(row, str) else f"{row['text']}: {row.get('command') or ''}")
    return found
