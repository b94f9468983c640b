# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A playbook that is held, or killed, exactly between two of its tasks: see the callback in ``gate/gate.py``."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

from harness import Running, until

CALLBACK = Path(__file__).resolve().parent / "gate"
#: what a playbook may take on a machine that is busy
SECONDS = 600
#: a task's name and how often it was done before; or how many tasks were done; or nothing, for the end of the run
Gate = t.Union[tuple[str, int], int, None]


class Held:
    """A run that goes on from gate to gate."""

    def __init__(self, folder: Path, playbook: str, *arguments: str) -> None:
        """Keep what is to be run; the folder is made, for this run alone."""
        folder.mkdir()
        self.playbook, self._folder, self._report = playbook, folder, folder / "report.json"
        self._words = [playbook, *arguments, "-e", f"report_file={self._report}"]
        self.run: Running | None = None

    def go(self, gate: Gate = None) -> str:
        """Let it go on to a gate, or to its end; return the task before which it is held, nothing when it has ended."""
        there = self._folder / "at"
        there.unlink(missing_ok=True)
        (self._folder / "new").write_text(json.dumps(gate))
        (self._folder / "new").replace(self._folder / "until")
        run = self.run = self.run or self._start()
        until(lambda: there.exists() or run.process.poll() is not None, SECONDS, f"{self.playbook} comes to {gate}")
        return there.read_text() if there.exists() else ""

    def _start(self) -> Running:
        given = {
            "ANSIBLE_CALLBACK_PLUGINS": str(CALLBACK),
            "ANSIBLE_CALLBACKS_ENABLED": "gate",
            "NEMESIS_GATE": str(self._folder),
        }
        return Running(*self._words, given=given)

    def kill(self) -> None:
        """Kill it with its controller, if it has not ended."""
        if self.run:
            self.run.kill()

    def report(self) -> tuple[bool, dict[str, t.Any]]:
        """Return whether it has ended well, and its report."""
        run = self.run or self._start()
        code, output = run.end(SECONDS)
        print("\n".join(output.splitlines()[-25:]) if code else f"{self.playbook} is done", flush=True)
        return code == 0, json.loads(self._report.read_text()) if self._report.exists() else {}
