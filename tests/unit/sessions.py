# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A session with a server that answers what a test says, and remembers what it was told; root that does the same."""

from __future__ import annotations

import contextlib
import typing as t
from pathlib import Path

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.engines.postgresql import database
from ansible_collections.hawq.mirroring.plugins.module_utils.host import separation
from ansible_collections.hawq.mirroring.plugins.module_utils.host.module import Instance

Answers = dict[str, t.Union[list[dict[str, t.Any]], t.Callable[[], list[dict[str, t.Any]]]]]


class Cursor:
    """Answers queries by their text (nothing where none is given); keeps the statements that it got."""

    def __init__(self, answers: Answers) -> None:
        self.answers, self.told, self._last = answers, [], ""

    def execute(self, query: str, parameters: t.Any = None) -> None:
        self._last = query
        if query not in self.answers:
            self.told.append(query if parameters is None else query.replace("%s", "{}").format(*parameters))

    def fetchall(self) -> list[dict[str, t.Any]]:
        answer = self.answers.get(self._last, [])
        return answer() if callable(answer) else answer

    def fetchone(self) -> dict[str, t.Any]:
        return self.fetchall()[0]


def given(monkeypatch: pytest.MonkeyPatch, answers: Answers) -> Cursor:
    """Let every session be with a server of these answers."""
    cursor = Cursor(answers)

    @contextlib.contextmanager
    def session(*_arguments: t.Any, **_options: t.Any) -> t.Iterator[Cursor]:
        yield cursor

    monkeypatch.setattr(database, "session", session)
    for service in ("lock", "unlock"):
        monkeypatch.setitem(separation._Process.services, service, lambda _name: None)
    return cursor


def root_offers(monkeypatch: pytest.MonkeyPatch, **services: t.Callable[..., t.Any]) -> None:
    """Let root do these services and no others until the test ends."""
    monkeypatch.setattr(separation._Process, "services", {})
    separation.offer(services)


def instance_in(place: Path) -> Instance:
    return Instance("root", "/bin", str(place), str(place), "hawq-master.service", "mdw", 5432)
