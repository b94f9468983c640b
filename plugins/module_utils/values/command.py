# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A playbook of this collection as the operator types it, with the inventory that is in use. Pure."""

from __future__ import annotations

import contextlib
import contextvars
import json
import re
import shlex
import typing as t
from dataclasses import dataclass, replace

from . import clusters


@dataclass(frozen=True)
class Typed:
    """What the operator has typed beside the inventory to get here. No secret is in it."""

    #: what says how hosts and secrets are reached, which other commands need as well
    connection: tuple[str, ...] = ()
    #: variables that describe the hosts, which other commands need as well
    variables: tuple[tuple[str, t.Any], ...] = ()
    #: the playbook as it was named, and the options of this one run, which only the same command has again
    playbook: str = ""
    options: tuple[tuple[str, t.Any], ...] = ()


_INVENTORY: contextvars.ContextVar[tuple[str, ...]] = contextvars.ContextVar("inventory", default=())
_CLUSTER: contextvars.ContextVar[str | None] = contextvars.ContextVar("cluster", default=None)
_TYPED: contextvars.ContextVar[Typed] = contextvars.ContextVar("typed", default=Typed())  # noqa: B039 (it is frozen)
#: what stands for a value that only the operator knows, and is quoted since it may have several words
COMMAND = "COMMAND"
#: a value that Ansible would take apart, or read as something else, in name=value
UNPLAIN = re.compile(r"[\s'\"\\={}\[\]]")


@contextlib.contextmanager
def inventory_in_use(
    sources: t.Iterable[str], cluster: str | None = None, typed: Typed | None = None
) -> t.Iterator[None]:
    """Name these inventories in every command that is rendered meanwhile, so that it can be typed as it stands.

    The same is true of the cluster, if one is named, and of what the operator has typed.
    """
    tokens = _INVENTORY.set(tuple(map(str, sources))), _CLUSTER.set(cluster), _TYPED.set(typed or _TYPED.get())
    try:
        yield
    finally:
        _INVENTORY.reset(tokens[0])
        _CLUSTER.reset(tokens[1])
        _TYPED.reset(tokens[2])


def group(kind: str) -> str:
    """Return what the inventory calls the group of the cluster's ``masters`` or ``segments``."""
    return clusters.group(kind, _CLUSTER.get())


@dataclass(frozen=True)
class Command:
    """A playbook and the options that it is given with -e."""

    workflow: str
    options: tuple[tuple[str, t.Any], ...] = ()

    def __str__(self) -> str:
        """Return the line to type."""
        return _line(f"hawq.mirroring.{self.workflow}", self.options)


def _line(named: str, options: t.Iterable[tuple[str, t.Any]]) -> str:
    typed, cluster = _TYPED.get(), _CLUSTER.get()
    words = ["ansible-playbook"]
    for source in _INVENTORY.get():
        words += ["-i", shlex.quote(source)]
    words += [named, *map(shlex.quote, typed.connection)]
    given = {**dict(typed.variables), **({"cluster": cluster} if cluster else {}), **dict(options)}
    return " ".join([*words, *extra(given.items())])


def extra(options: t.Iterable[tuple[str, t.Any]]) -> list[str]:
    """Return the words that give variables on the command line, quoted for a shell."""
    found = []
    for name, value in options:
        plain = isinstance(value, str) and not UNPLAIN.search(value)
        word = shlex.quote(f"{name}={value}" if plain else json.dumps({name: value}))
        found += ["-e", f"\"{name}='{COMMAND}'\"" if value == COMMAND else word]
    return found


def _text(value: t.Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def playbook(workflow: str, **options: t.Any) -> Command:
    """Return the command of a playbook. An option that is None is left out; a bool is written as Ansible does."""
    return Command(workflow, tuple((name, _text(value)) for name, value in options.items() if value is not None))


def again(**options: t.Any) -> str:
    """Return the command that was typed, with these options as well; without one that is None.

    Where it is not known what was typed, as on a host, these are the options alone.
    """
    typed, given = _TYPED.get(), {name: value for name, value in options.items() if value is not None}
    words = {name: value if isinstance(value, dict) else _text(value) for name, value in given.items()}
    if not typed.playbook:
        return " ".join(extra(words.items())) or "".join(f"the same without -e {name}=" for name in options)
    before = {name: value for name, value in typed.options if name not in options}
    return _line(typed.playbook, {**before, **words}.items())


@contextlib.contextmanager
def asked_of(workflow: str) -> t.Iterator[None]:
    """Name another playbook in what is to be typed again: the one whose judgement is asked for beforehand."""
    typed = _TYPED.get()
    token = _TYPED.set(replace(typed, playbook=f"hawq.mirroring.{workflow}" if typed.playbook else "", options=()))
    try:
        yield
    finally:
        _TYPED.reset(token)


def adhoc(hosts: str, module: str, arguments: str) -> str:
    """Return the line that runs one module of Ansible's own as root."""
    sources = [word for source in _INVENTORY.get() for word in ("-i", shlex.quote(source))]
    words = ["ansible", hosts, *sources, *map(shlex.quote, _TYPED.get().connection)]
    words += extra(_TYPED.get().variables)
    return " ".join([*words, "-b", "-m", f"ansible.builtin.{module}", "-a", shlex.quote(arguments)])
