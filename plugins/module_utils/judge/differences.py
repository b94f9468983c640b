# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Settings of a master and its standby side by side: what differs, and what a swap would lose. Pure."""

from __future__ import annotations

import typing as t

from ..engines import table
from ..values.command import again
from ..values.observation import Archiver, Observation
from ..values.text import named
from . import topology
from .options import Options
from .refusal import AGAIN, Refusal

#: how a value begins that is only known by its digest
DIGEST = "digest:"
#: signs that a shell would not leave alone in a line that is pasted
UNTYPED = set("'\"$`\\\n")
#: differences that a note names
SHOWN = 12
#: a file that has waited for so long to be archived, while none was, is not on its way
HANGS_SECONDS = 300


class Difference(t.NamedTuple):
    """A setting of which two servers have different values."""

    name: str
    #: what the master has, and what the standby has
    there: str
    here: str
    #: what would be lost if the standby became the master; empty otherwise
    loss: str
    by_restart: bool

    def words(self, master: str, standby: str) -> str:
        """Return what differs; of what may be secret only that it does."""
        if DIGEST in f"{self.there}{self.here}" and self.there and self.here:
            return f"{self.name} is another one on {standby} than on {master}"
        return f"{self.name} is {_shown(self.here)} on {standby} and {_shown(self.there)} on {master}"


def _shown(value: str) -> str:
    return "set" if value.startswith(DIGEST) else named(value) if value else "empty"


def _words(value: str) -> list[str]:
    return [word.strip().strip('"') for word in value.split(",") if word.strip()]


def between(source: Observation, seen: Observation) -> list[Difference]:
    """Return what differs between a master and its standby, as far as it is known of both."""
    if topology.UNREACHABLE in (topology.kind(source), topology.kind(seen)):
        return []
    its, mine = _of(source), _of(seen)
    if its is None or mine is None:
        return []
    rules, found = table.of(source).differing, []
    names = sorted({*its, *mine}) if source["server"] and seen["server"] else rules.watched
    for name in names:
        row: t.Any = its.get(name) or mine.get(name) or {}
        default = row.get("default", rules.defaults.get(name, ""))
        there, here = ((side.get(name) or {}).get("value", default) for side in (its, mine))
        if there != here and name not in rules.own:
            loss = _loss(rules, name, there, here, mine)
            found.append(Difference(name, there, here, loss, bool(row.get("by_restart"))))
    return found


def _of(seen: Observation) -> dict[str, t.Any] | None:
    """Return what a server has in effect, or what its files ask for where it gives no session."""
    if seen["server"]:
        return seen["server"].get("configured")
    told = seen["configuration"].get("asks_for")
    return {name: {"value": value} for name, value in told.items()} if told else None


def _loss(rules: t.Any, name: str, there: str, here: str, mine: dict[str, t.Any]) -> str:
    """Return what is lost with the value that the standby has; empty where that is not worse than the master's."""
    mode, means = rules.archiving
    if name in rules.ranks:
        worse = rules.ranks[name]
        rank = {value: number for number, value in enumerate(worse)}
        lost = rank.get(here, len(worse)) < rank.get(there, len(worse))
    elif name in rules.lists:
        lost = bool(set(_words(there)) - set(_words(here)))
    elif name in means:
        none = not any((mine.get(each) or {}).get("value") for each in means)
        archives = (mine.get(mode) or {}).get("value", rules.defaults[mode]) != rules.ranks[mode][0]
        lost = bool(there) and none and archives
    else:
        lost = False
    return rules.losses.get(name) or rules.losses[means[0]] if lost else ""


def lost(source: Observation, seen: Observation, options: Options) -> list[Difference]:
    """Return what a swap would lose and nobody has accepted."""
    accepted = options.get("accept_settings") or []
    return [row for row in between(source, seen) if row.loss and row.name not in accepted]


def mend(rows: list[Difference], master: str, standby: str, seen: Observation) -> str:
    """Return what gives the standby what the master has."""
    words, unit = table.of(seen).words, seen["service"]["unit"]
    plain = [row for row in rows if row.there and not row.there.startswith(DIGEST) and not UNTYPED & set(row.there)]
    by_hand = [row.name for row in rows if row not in plain]
    parts = []
    if plain:
        sets = [words.set_setting.format(name=row.name, value=_value(seen, row)) for row in plain]
        parts.append(f"on {standby}: {table.typed(seen, [*sets, words.reload])}")
    if by_hand:
        parts.append(f"write {' and '.join(by_hand)} into the configuration of {standby} as {master} has it")
    end = f"systemctl restart {unit}" if any(row.by_restart for row in rows) else ""
    if by_hand and not end:
        end = table.typed(seen, [words.reload])
    return f"{'; '.join(parts)}{f', then on {standby}: {end}' if end else ''}"


def _value(seen: Observation, row: Difference) -> str:
    """Return a value as a statement has it between quotes: a list is one of several."""
    if row.name not in table.of(seen).differing.lists:
        return row.there
    return "', '".join(dict.fromkeys([*_words(row.here), *_words(row.there)]))


def refusals(source: Observation, seen: Observation, pair: t.Any, options: Options) -> list[Refusal]:
    """A swap must not silently take away what the master does."""
    rows = lost(source, seen, options)
    if not rows:
        return []
    names, first = ",".join(row.name for row in rows), mend(rows, pair.master, pair.standby, seen)
    return [
        Refusal(
            "settings-lost",
            "; ".join(row.words(pair.master, pair.standby) for row in rows),
            "; ".join(dict.fromkeys(row.loss for row in rows)),
            f"Mend that first: {first}, {AGAIN}. Or go on without: {again(accept_settings=names)}",
        )
    ]


def told(old: str | None, new: str, observations: topology.Observations) -> list[str]:
    """Return what a new master lacks that the old one had, as a report says it."""
    if old is None or old not in observations:
        return []
    found = between(observations[old], observations[new])
    return [f"{row.words(old, new)}: {row.loss}" for row in found if row.loss]


def broken(name: str, seen: Observation) -> list[Refusal]:
    """A server that is started anew would refuse its configuration."""
    server = seen["server"] if topology.kind(seen) != topology.UNREACHABLE else None
    errors = server.get("configuration_errors") if server else None
    if not errors:
        return []
    return [
        Refusal(
            "configuration-errors",
            f"the configuration of {name} has errors ({'; '.join(errors[:3])})",
            "its server would not start with that",
            f"Correct that line, {AGAIN}",
        )
    ]


def mend_archiving(name: str, seen: Observation) -> str:
    """Return what ends that a server is told to archive, and not how."""
    means, words = table.of(seen).differing.archiving[1], table.of(seen).words
    return f"set {' or '.join(means)} on {name}, then there: {table.typed(seen, [words.reload])}"


def hanging(seen: Observation) -> Archiver | None:
    """Return how WAL is archived where what does that neither ends nor fails: a server that is stopped waits for it."""
    archiver = seen["server"].get("archiver") if seen["server"] else None
    if not archiver or archiver["mode"] == "off" or not archiver["told_how"]:
        return None
    failed, done = archiver["failed_at"], archiver["archived_at"]
    fails = failed is not None and (done is None or done < failed)
    return None if fails or (archiver["waiting_seconds"] or 0) < HANGS_SECONDS else archiver


def end_archiving(name: str, seen: Observation) -> str:
    """Return how to end what archives and hangs."""
    unit = seen["service"]["unit"]
    return (
        f"end what hangs: systemctl status {unit} on {name} shows it below the server. What it says:"
        f" journalctl -u {unit} --since -1h on {name}"
    )


def stopping(name: str, seen: Observation) -> list[Refusal]:
    """A master that is stopped archives all that waits for it first, while nobody is served."""
    archiver = hanging(seen)
    if archiver is None:
        return []
    return [
        Refusal(
            "archive-failing",
            f"nothing was archived on {name} for {archiver['waiting_seconds']:.0f} s, and {archiver['waiting']} WAL"
            " segment files wait for that",
            f"the stop of {name} would wait for it, and nobody would be served meanwhile",
            f"First {end_archiving(name, seen)}. Then run this again",
        )
    ]
