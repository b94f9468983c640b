# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""An operator who types only what the playbooks tell him, and does at the machines only what he is asked for (S11).

He reads as the operator of the simulated life does, and shares his words for what is to be typed. Where he is asked
for what only he can know ("if mdw is off for certain"), he makes it true first.
"""

from __future__ import annotations

import json
import re
import shlex
import typing as t
from pathlib import Path

from harness import Running, lab, on
from simulation.advice import REPAIR, TOKENS, advice_of

#: what a playbook may take
SECONDS = 420
#: what he does at the machines, where a text asks for it
AT_THE_MACHINE = ("off", "on", "mount", "mend")


class LostError(AssertionError):
    """What he was told did not bring him home."""


class Operator:
    """Follows advice, and remembers what he has typed."""

    def __init__(self, hosts: t.Sequence[str], folder: Path) -> None:
        """Look after these hosts; reports are read from files in the folder."""
        self.hosts = hosts
        self.typed: list[str] = []
        #: what he was told, typed and did, for the story of a round that fails
        self.story: list[str] = []
        self._folder = folder
        self._last: tuple[str, dict[str, str]] | None = None

    def look(self) -> dict[str, t.Any]:
        """Run state.yml; return its document."""
        file = self._folder / "state.json"
        file.unlink(missing_ok=True)
        _code, output = Running("state", "-e", f"state_file={file}", "-e", "state_fail=false").end(SECONDS)
        assert file.exists(), output
        found: dict[str, t.Any] = json.loads(file.read_text())
        self.story.append(f"state: exit code {found['exit_code']}; {'; '.join(advice_of(found)) or 'nothing to do'}")
        return found

    def home(self, most: int) -> None:
        """Follow the advice until state.yml says that all is well; fail after so many commands."""
        while (document := self.look())["exit_code"]:
            texts, self._last = advice_of(document), None
            while texts:
                if len(self.typed) >= most:
                    raise self._lost("so many commands did not lead home")
                texts = self._follow(texts)

    def fail_over(self) -> None:
        """Fail over at once, with what is asked for where a host is off: state.yml has said that this works."""
        texts = self._play("failover", {}, "")
        while texts:
            if not any("master_is_down=true" in each or "fence_command" in each for each in texts):
                raise self._lost("state.yml called it well, and the failover is refused")
            texts = self._follow(texts)

    def _lost(self, why: str) -> LostError:
        return LostError("\n".join([why, *self.story]))

    def _follow(self, texts: list[str]) -> list[str]:
        """Do the first thing that is named; return what the playbook says then, or nothing when it is time to look."""
        for text in texts:
            tokens = list(TOKENS.finditer(text))
            done = False
            for token in tokens:
                before = text[: token.start()]
                if token["playbook"] and before.rstrip().endswith("on purpose:"):
                    return []  # he has not come for that
                if token["again"] and not done and REPAIR.search(text, token.end()):
                    continue
                if done and re.search(r"\b[Oo]r\b", before.rpartition(".")[2]):
                    return []
                answer = self._do(token, before)
                if isinstance(answer, list):
                    return answer
                done = done or bool(answer)
            if done:
                return []
        raise self._lost("nothing is named that could be done: " + " / ".join(texts))

    def _do(self, token: re.Match[str], before: str) -> list[str] | bool:
        """Do it: a list is what a playbook says then, True something at a machine, False nothing that could be done."""
        group = token.groupdict()
        if group["playbook"]:
            options = dict(each.split("=", 1) for each in shlex.split(group["options"]) if "=" in each)
            return self._play(group["playbook"], options, before)
        if group["words"] and self._last:
            more = dict(re.findall(r"-e (\w+)=([\w.,]*\w)", group["words"]))
            return self._play(self._last[0], {**self._last[1], **more}, before)
        if group["again"] and self._last:
            return self._play(*self._last, before)
        for name in ("verb", "thaw", "touch", "back"):
            if group[name]:
                host = group["unit_host"] or self._named(before + token[0] if name == "back" else before)
                return self._type_on(host, token[0].split(" on ")[0]) if host else False
        return any(group[name] and self._at_the_machine(name, group["off_host"]) for name in AT_THE_MACHINE)

    def _play(self, playbook: str, options: dict[str, str], before: str) -> list[str] | bool:
        """Run a playbook; return what it names next when it has refused or failed."""
        if playbook == "state":
            return False
        if options.get("master_is_down"):
            self._make_sure(before)
        self._last = (playbook, options)
        arguments = [word for name, value in options.items() for word in ("-e", f"{name}={value}")]
        file = self._folder / "report.json"
        file.unlink(missing_ok=True)
        self.typed.append(shlex.join([playbook, *arguments]))
        code, output = Running(playbook, *arguments, "-e", f"report_file={file}").end(SECONDS)
        report = json.loads(file.read_text()) if file.exists() else {"why": [output[-3000:]]}
        refusals = [f"{row['found']}: {row['why']}. {row['command']}" for row in report.get("refusals") or []]
        said = [] if code == 0 else refusals or [*report.get("why", []), *report.get("next", [])]
        self.story += [f"{self.typed[-1]}: exit code {code}", *(f"  {each}" for each in said)]
        return said

    def _make_sure(self, before: str) -> None:
        """Who says that a host is off has looked, and switches it off where it is not."""
        silent = [host for host in self.hosts if on(host, "echo yes", check=False, seconds=30) != "yes"]
        for host in [host for host in silent if host in before] or silent:
            lab("power-off", host)
            self.story.append(f"he makes sure that {host} is off")

    def _named(self, before: str) -> str | None:
        """Return the host that was named last."""
        found = [(before.rfind(host), host) for host in self.hosts if re.search(rf"\b{host}\b", before)]
        return max(found)[1] if found else None

    def _type_on(self, host: str, command: str) -> list[str]:
        self.typed.append(f"{command} on {host}")
        printed = on(host, f"timeout 60 sh -c '{command}' 2>&1; echo exit code $?", check=False)
        self.story.append(f"{self.typed[-1]}: {printed}")
        return []

    def _at_the_machine(self, what: str, host: str | None) -> bool:
        before = lab("status")
        if what == "off" and host in self.hosts:
            lab("power-off", host)
        if what == "on":
            for each in self.hosts:
                lab("plug", each)
                lab("thaw", each)
                lab("power-on", each)
        if what == "mend":
            for each in self.hosts:
                lab("plug", each)
                lab("join", "controller", each)
            lab("join", *self.hosts)
        done = lab("status") != before
        if done:
            self.story.append(f"he does at the machines what he is asked for ({what})")
        return done
