# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The playbooks as they are, read from their files: tasks and blocks, with what they include in its place.

So the order of acts is the product's own. Of a condition that asks for the hosts of a step the step is kept; the others
are known by their text (``CONDITIONS``), and a test tells of one that is not.
"""

from __future__ import annotations

import functools
import pathlib
import re
import typing as t
from dataclasses import dataclass, field

import yaml
from ansible_collections.hawq.mirroring.plugins.module_utils.values.phases import PHASES

ROOT = pathlib.Path(__file__).resolve().parents[2]
COLLECTION = "hawq.mirroring."
BUILTIN = "ansible.builtin."
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
#: roles that prepare a host: what they do is there already on every host of the model
PREPARING = ("gpadmin_user", "binaries", "environment", "data_directory", "ssh_keys", "virtual_ip", "guard", "witness")
STEP = re.compile(
    r"(judged|standby_salvage|server_rollback)\.steps\.(\w+)|(judged)\.phases\.(\w+)|server_(differing)\.(\w+)"
)
MEMBER = re.compile(r"\s*inventory_hostname (not )?in (.*)", re.S)
ANY = re.compile(r"\s*\S+ \| length > 0\s*")


@dataclass(frozen=True)
class Condition:
    """Who does it: the hosts of these steps, everybody else, or all when any host has one; or another text."""

    kind: str
    steps: tuple[tuple[str, str], ...] = ()
    text: str = ""


@dataclass(frozen=True)
class Task:
    """One task."""

    name: str
    module: str
    args: dict[str, t.Any]
    when: tuple[Condition, ...] = ()
    register: str | None = None
    once: bool = False
    ignore_unreachable: bool = False
    may_fail: str = ""


@dataclass(frozen=True)
class Block:
    """Several tasks, what is done when one of them fails, and what is done in any case.

    The conditions of an include are asked once, those of a block or an import again for each task: these are in the
    tasks already.
    """

    name: str
    tasks: tuple[t.Any, ...]
    rescue: tuple[t.Any, ...] = ()
    always: tuple[t.Any, ...] = ()
    when: tuple[Condition, ...] = ()
    loop: str = ""
    include: bool = False
    #: a file that includes itself again is read when it comes to that
    later: t.Callable[[], tuple[t.Any, ...]] | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Play:
    """A play: on masters alone, or on segments as well."""

    name: str
    segments: bool
    tasks: tuple[t.Any, ...]
    variables: dict[str, t.Any] = field(default_factory=dict)


@functools.cache
def _yaml(path: pathlib.Path) -> t.Any:
    return yaml.load(path.read_text(encoding="utf-8"), LOADER)


def load(workflow: str) -> tuple[Play, ...]:
    """Return the plays of a playbook."""
    return tuple(_plays(ROOT / "playbooks" / f"{workflow}.yml", {}))


def _plays(path: pathlib.Path, variables: dict[str, t.Any]) -> t.Iterator[Play]:
    for play in _yaml(path):
        further = play.get(f"{BUILTIN}import_playbook")
        told = {**variables, **play.get("vars", {})}
        if further:
            yield from _plays(path.parent / further, told)
        else:
            tasks = _tasks(play["tasks"], Reading(path.parent, told, files=(path,)))
            yield Play(play["name"], play["hosts"] != "{{ hawq_masters }}", tasks, told)


class Reading(t.NamedTuple):
    """Where a file of tasks is read, and for whom."""

    place: pathlib.Path
    told: dict[str, t.Any]
    #: conditions of the blocks and imports around it, and the files that are being read
    when: tuple[Condition, ...] = ()
    files: tuple[pathlib.Path, ...] = ()

    def file(self, path: pathlib.Path, when: tuple[Condition, ...]) -> tuple[t.Any, ...]:
        """Return what is in a file of tasks."""
        return _tasks(_yaml(path), Reading(path.parent, self.told, when, (*self.files, path)))


def _tasks(rows: list[dict[str, t.Any]], reading: Reading) -> tuple[t.Any, ...]:
    return tuple(each for row in rows or [] for each in _task(row, reading))


def _task(row: dict[str, t.Any], reading: Reading) -> t.Iterator[t.Any]:
    when = (*reading.when, *conditions(row.get("when")))
    own = {name: value for name, value in row.get("vars", {}).items() if isinstance(value, str)}
    reading = reading._replace(told={**reading.told, **own})
    if "block" in row:
        inner = reading._replace(when=when)
        tasks, rescue, always = (_tasks(row.get(part, []), inner) for part in ("block", "rescue", "always"))
        yield Block(row.get("name", ""), tasks, rescue, always)
        return
    action = next((key for key in row if "." in key), "")
    args = row[action] if isinstance(row[action], dict) else {"free": row[action]}
    word = action.removeprefix(BUILTIN).removeprefix(COLLECTION)
    if word in ("import_tasks", "include_tasks", "import_role", "include_role"):
        yield from _include(row, word, args, reading, when)
        return
    yield Task(
        row["name"],
        word,
        {key: _filled(value, reading.told) for key, value in args.items()},
        when,
        row.get("register"),
        bool(row.get("run_once")),
        bool(row.get("ignore_unreachable")),
        "always" if row.get("failed_when") is False else str(row.get("failed_when", "")),
    )


def _include(
    row: dict[str, t.Any], word: str, args: dict[str, t.Any], reading: Reading, when: tuple[Condition, ...]
) -> t.Iterator[t.Any]:
    """Yield what is in its place: of an import its tasks, of an include a block whose conditions are asked once."""
    if args.get("tasks_from") == "variables":  # it holds no task
        return
    inside = _included(word, args, reading.place)
    if inside is None:
        module = f"role {args['name'].removeprefix(COLLECTION)}"
        yield Task(row["name"], module, {"include": word.startswith("include")}, when)
    elif word.startswith("import"):
        yield from reading.file(inside, when)
    elif inside in reading.files:
        yield Block(row["name"], (), when=when, include=True, later=functools.cache(lambda: reading.file(inside, ())))
    else:
        yield Block(row["name"], reading.file(inside, ()), when=when, loop=str(row.get("loop", "")), include=True)


def _included(word: str, args: dict[str, t.Any], place: pathlib.Path) -> pathlib.Path | None:
    """Return the file of tasks that is included; None of a role that prepares a host."""
    if word.endswith("tasks"):
        return place / args["free"] if "free" in args else place / args["file"]
    role = args["name"].removeprefix(COLLECTION)
    if role in PREPARING:
        return None
    return ROOT / "roles" / role / "tasks" / f"{args.get('tasks_from', 'main').removesuffix('.yml')}.yml"


def _filled(value: t.Any, told: dict[str, t.Any]) -> t.Any:
    """Return a value with a variable of the import in it."""
    name = re.fullmatch(r"\{\{ (\w+) \}\}", value) if isinstance(value, str) else None
    return told.get(name[1], value) if name else value


def conditions(when: t.Any) -> tuple[Condition, ...]:
    """Return what ``when`` asks for."""
    rows = [] if when is None else when if isinstance(when, list) else [when]
    return tuple(each for row in rows for each in _condition(" ".join(str(row).split())))


def _condition(text: str) -> t.Iterator[Condition]:
    for part in re.split(r" and (?![^()]*\))", text):
        member, some = MEMBER.fullmatch(part), ANY.fullmatch(part)
        asked = tuple(_steps(member[2] if member else part))
        if some and asked:
            yield Condition("any", asked)
        elif member and asked:
            yield Condition("none of" if member[1] else "in", asked)
        else:
            yield Condition("text", text=part)


def _steps(text: str) -> t.Iterator[tuple[str, str]]:
    """Return the steps that are asked for: a phase stands for its steps."""
    for found in STEP.finditer(text):
        where, name, judged, phase, differing, part = found.groups()
        if where:
            yield where, name
        for step in PHASES[phase] if phase else ():
            yield judged, step
        if differing:
            yield differing, part


def flat(nodes: t.Iterable[t.Any]) -> t.Iterator[Task]:
    """Return all tasks in order, with those of rescues and of what is included."""
    for node in nodes:
        if isinstance(node, Task):
            yield node
        else:
            yield from flat((*node.tasks, *node.rescue, *node.always))


def all_conditions(nodes: t.Iterable[t.Any]) -> t.Iterator[str]:
    """Return the texts of the conditions that ask for no step."""
    for node in nodes:
        yield from (each.text for each in node.when if each.kind == "text")
        if isinstance(node, Block):
            yield from all_conditions((*node.tasks, *node.rescue, *node.always))
