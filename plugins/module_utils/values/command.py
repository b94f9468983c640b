# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A playbook of this collection as the operator types it, with the inventory that is in use. Pure."""

from __future__ import annotations

import contextlib
import contextvars
import shlex
import typing as t
from dataclasses import dataclass

_INVENTORY: contextvars.ContextVar[tuple[str, ...]] = contextvars.ContextVar("inventory", default=())


@contextlib.contextmanager
def inventory_in_use(sources: t.Iterable[str]) -> t.Iterator[None]:
    """Name these inventories in every command that is rendered meanwhile, so that it can be typed as it stands."""
    token = _INVENTORY.set(tuple(map(str, sources)))
    try:
        yield
    finally:
        _INVENTORY.reset(token)


@dataclass(frozen=True)
class Command:
    """A playbook and the options that it is given with -e."""

    workflow: str
    options: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        """Return the line to type."""
        words = ["ansible-playbook"]
        for source in _INVENTORY.get():
            words += ["-i", shlex.quote(source)]
        words.append(f"hawq.mirroring.{self.workflow}")
        for name, value in self.options:
            words += ["-e", shlex.quote(f"{name}={value}")]
        return " ".join(words)


def playbook(workflow: str, **options: t.Any) -> Command:
    """Return the command of a playbook. An option that is None is left out; a bool is written as Ansible does."""
    given = {name: value for name, value in options.items() if value is not None}
    words = {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in given.items()}
    return Command(workflow, tuple(words.items()))
