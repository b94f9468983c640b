# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What people read when a run has failed: why, what was taken back, and what goes on. Pure."""

from __future__ import annotations

import typing as t

from ..engines import table
from ..values import command, places
from ..values.command import playbook
from ..values.text import sentence
from . import layout

AGAIN = "run this again when that is mended"


def sentences(document: dict[str, t.Any]) -> list[str]:
    """Return why a workflow that makes a copy failed, what was taken back, and what goes on or could not be."""
    lost = [name for name in document["pair"] if name not in document["answered"]]
    found = [f"{name}: {sentence(text)}." for name, text in document["causes"].items()]
    found += [f"{name} does not answer by SSH any more." for name in lost]
    undone = document["undone"]
    users = [answer["used_by"] for answer in undone.values() if answer.get("used_by")]
    left = [f"{name} ({sentence(undone[name]['msg'])})" for name in document["answered"] if "msg" in undone[name]]
    if users:
        user = f"{users[0][0].upper()}{users[0][1:]}"
        there = [f"What this run had made is still there on {' and '.join(left)}."] if left else []
        return [*found, f"{user} relies on what this run had made on the master, so it was left as it is.", *there]
    phases = [answer.get("phase", "copying") for answer in undone.values() if answer.get("goes_on")]
    if phases:
        what = "The verified copy waits" if phases[0] == "done" else "The snapshot goes on by itself"
        return [*found, f"{what}, nothing was taken back: run this again, it will go on from there."]
    if any(answer.get("slot_lost") for answer in undone.values()):
        words = table.of(document).words
        limit = words.settings["kept wal"]
        raised = words.set_setting.format(name=limit, value="…")
        found.append(
            f"The master had to drop WAL that the copy still needed, more than its {limit} keeps: raise"
            f" that ({raised}, {words.reload}), or copy when less is written."
        )
    if left or lost:
        found.append(
            f"What this run had made is still there on {' and '.join(left + lost)}: run this again when that is mended,"
            " it begins with clearing that away."
        )
    else:
        found.append(f"What this run had made is taken back: {AGAIN}.")
    return found


def after_taking_back(plan: t.Mapping[str, t.Any], undone: t.Mapping[str, t.Mapping[str, t.Any]]) -> list[str]:
    """Return what goes on after a run that took back what it had made, or left it to whoever relies on it."""
    same = command.again()
    if any(answer.get("used_by") for answer in undone.values()):
        # the same again would be in the way of whoever works there, or have nothing to do
        return [f"look how far that is: {playbook('state')}"]
    if any(answer.get("goes_on") for answer in undone.values()) and same:
        return [f"type the same again, which goes on from there: {same}"]
    return follow(plan, again=False)


class Back(t.NamedTuple):
    """What has come of giving a master that a switchover had stopped its service back."""

    #: the plan of that; nothing when nobody was to be given anything back
    plan: t.Mapping[str, t.Any]
    #: what its start has told, and whether its server gives sessions again
    undone: t.Mapping[str, t.Any]
    session: bool
    unit: str

    @property
    def left(self) -> str:
        """Why it was left alone; nothing when it was told to start."""
        return "" if "record" in self.undone else sentence(str(self.undone.get("msg") or "no answer"))


def given_up(plan: t.Mapping[str, t.Any], causes: dict[str, str], back: Back) -> list[str]:
    """Return why a switchover was given up before anybody was activated, and who is the master now."""
    old, new = plan["old"], plan["new"]
    why = "; ".join(sentence(text) for text in causes.values()) or "see above"
    begin = f"The switchover was given up before this run had activated {new}, and"
    if not back.plan:
        return [f"{begin} nobody is the master: run this again: {why}."]
    if back.plan["master"] != old:
        return [
            f"{begin} {old} stays fenced: {why}.",
            f"{back.plan['seen']}: another run has made it the master meanwhile. {old} would be a second one.",
        ]
    if back.left:
        return [f"{begin} {old} was not started again: {why}.", f"{old}: {back.left}."]
    if back.session:
        return [f"{begin} {old} is the master again: {why}."]
    trouble = sentence(str(back.undone.get("trouble") or "no session"))
    if not back.plan["doubtful"]:
        return [f"{begin} {old} was told to start and does not serve yet ({trouble}): {why}."]
    names = " and ".join(back.plan["doubtful"])
    return [
        f"{begin} nobody is the master yet: {why}.",
        f"{old} was told to start, and does so when {names} answers that it is no master, since another run could have"
        f" made it one meanwhile ({back.plan['seen']}). Until now: {trouble}.",
    ]


def after_that(plan: t.Mapping[str, t.Any], back: Back) -> list[str]:
    """Return what goes on after a switchover that was given up."""
    old, look = plan["old"], f"look who is the master now: {playbook('state')}"
    if not back.plan or (back.session and not back.left):
        return follow(plan, again=True)
    if back.plan["master"] != old:
        return [f"let {old} follow: {playbook('resync_standby', standby_host=old)}"]
    if back.left or not back.plan["doubtful"]:
        return [look]
    names = " and ".join(back.plan["doubtful"])
    return [
        f"switch {names} on or mend the way there, and {old} starts by itself or says why not (systemctl status"
        f" {back.unit})",
        f"if it is certain that {names} is no master and cannot become one, run this on {old}:"
        f" touch {places.permission(back.unit)} && systemctl start {back.unit}",
    ]


def silent(names: t.Iterable[str]) -> list[str]:
    """Return a sentence for each host that was lost on the way, of which no task tells why it has failed."""
    return [f"{name} does not answer by SSH any more." for name in names]


def fenced(plan: t.Mapping[str, t.Any], record: t.Any, activated: bool) -> list[str]:
    """Return what is left of a takeover that ended between the fence and the activation."""
    if not record or activated or plan["workflow"] != "failover":
        return []
    return [f"{plan['old']} is fenced: its server is stopped, and cannot come back as a master. Nobody was activated."]


def follow(plan: t.Mapping[str, t.Any], again: bool) -> list[str]:
    """Return what to do next: what the plan advises when its way does not work, and the same ``again``."""
    same = command.again()
    words = f"when that is mended, type the same again{f': {same}' if same else ''}"
    return [*filter(None, [plan.get("advice")]), *([words] if again or same else [])]


def text(workflow: str, found: list[str], further: t.Iterable[str] = ()) -> str:
    """Return the block that people read."""
    lines = [f"{workflow} failed.", *(layout.item("Why", each) for each in found)]
    return "\n".join([*lines, *(layout.item("Next", each) for each in further)])
