# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What people read: reports, refusals, progress, misspelt names."""

from __future__ import annotations

import re
import typing as t

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.judge import state
from ansible_collections.hawq.mirroring.plugins.module_utils.report import (
    document,
    failure,
    layout,
    progress,
    refusal,
    sources,
    work,
)
from ansible_collections.hawq.mirroring.plugins.module_utils.report import state as state_text
from ansible_collections.hawq.mirroring.plugins.module_utils.values import options
from observations import master, mirrored, standby, stopped


def unwrapped(text: str) -> str:
    """Return a text with every label and sentence on one line."""
    return re.sub(r"\n {6}(?=\S)", " ", text)


def value(text: str, label: str) -> list[str]:
    """Return the values of a label in a report."""
    pairs = [line.split(" = ", 1) for line in unwrapped(text).splitlines() if " = " in line]
    return [found for name, found in pairs if name.strip() == label]


@pytest.fixture
def healthy() -> dict[str, t.Any]:
    return state.document({"mdw": mirrored(), "smdw": standby()})


LABELS = {
    "Master instance": "Active",
    "Master host": "mdw",
    "Master standby": "smdw",
    "Standby master state": "Standby host passive",
    "Total segments count from catalog": "0",
    "Total segment valid (at master)": "0",
    "Total segment failures (at master)": "0",
    "Mirroring state": "Synchronized since 2026-11-23 10:14:16 UTC",
    "Standby behind": "0 B, 0.000 s",
    "Timeline": "1",
    "Slot hawq_mirroring_smdw": "active, WAL reserved, 1 kB retained",
    "Host mdw": "a master that accepts writes (timeline 1, LSN 0/3017F88)",
    "Host smdw": "a running standby (timeline 1, LSN 0/3017F88)",
    "Rewind of smdw": "possible: not needed: it is on the master's timeline",
}


@pytest.mark.parametrize(("label", "text"), LABELS.items(), ids=LABELS)
def test_state_labels(healthy: dict[str, t.Any], label: str, text: str) -> None:
    assert value(state_text.text(healthy), label) == [text]


def test_state_begins_as_hawq_state_does(healthy: dict[str, t.Any]) -> None:
    assert state_text.text(healthy).splitlines()[0] == "HAWQ instance status summary"
    assert "Problem" not in state_text.text(healthy)


def test_state_without_standby() -> None:
    text = state_text.text(state.document({"mdw": master()}))
    assert value(text, "Master standby") == ["No Standby master defined"]
    assert value(text, "Mirroring state") == ["Not Configured"]
    assert value(text, "Standby master state") == value(text, "Standby behind") == []


def test_state_without_master() -> None:
    text = state_text.text(state.document({"mdw": stopped("mdw")}))
    assert value(text, "Master instance") == ["Down"]
    assert value(text, "Master host") == ["none"]
    assert value(text, "Timeline") == ["unknown"]
    assert "Problem: no host accepts writes" in text


def test_state_with_a_reason() -> None:
    mirroring = {
        "summary_state": "Not Synchronized",
        "detail_state": "Connection error",
        "since": 0.0,
        "error_message": "standby smdw is not connected",
    }
    text = state_text.text(state.document({"mdw": mirrored("mdw", {"server.mirroring": mirroring})}))
    assert value(text, "Mirroring state") == [
        "Not Synchronized (Connection error, standby smdw is not connected) since 1970-01-01 00:00:00 UTC"
    ]
    assert "Problem: standby smdw is Not Synchronized (Connection error)" in text


def test_state_says_what_the_standbys_login_is_answered() -> None:
    not_there = {"summary_state": "Not Synchronized", "detail_state": "Connection error", "since": None}
    lost = mirrored("mdw", {"server.mirroring": {**not_there, "error_message": None}})
    refused = standby("smdw", {"credentials.login": "FATAL: password authentication failed"})
    assert state.document({"mdw": lost, "smdw": refused})["problems"] == [
        "standby smdw is Not Synchronized (Connection error; its login to the master is answered: FATAL: password"
        " authentication failed)"
    ]


ONE = {"found": "it rains", "why": "you would get wet", "command": "Take a coat"}
TWO = {
    "found": "it is late",
    "why": "the shop is shut",
    "command": "Look: ansible-playbook hawq.mirroring.state",
}


def test_a_refusal_is_a_block() -> None:
    assert refusal.text("init_standby", [ONE]).splitlines() == [
        "init_standby refused, nothing was changed.",
        "",
        "  it rains:",
        "    you would get wet.",
        "    Take a coat.",
    ]


def test_each_of_several_refusals_has_its_number_and_a_command_no_full_stop() -> None:
    assert refusal.text("init_standby", [ONE, TWO]).split("\n\n")[1:] == [
        "  1. it rains:\n    you would get wet.\n    Take a coat.",
        "  2. it is late:\n    the shop is shut.\n    Look: ansible-playbook hawq.mirroring.state",
    ]


def test_refusal_of_the_next_way_says_which_have_failed() -> None:
    found = [{"found": "smdw has 4 kB free", "why": "a copy does not fit", "command": "Make room"}]
    text = refusal.text("resync_standby", found, {"rewind": "no WAL", "delta": "no space left."})
    assert " ".join(text.split()) == (
        "The rewind failed (no WAL), the delta failed (no space left), and the next way is refused."
        " smdw has 4 kB free: a copy does not fit. Make room."
    )


COMMAND = "ansible-playbook -i /etc/ansible/hosts hawq.mirroring.resync_standby -e standby_host=smdw -e x=delta"


@pytest.mark.parametrize("text", [f"bring it back: {COMMAND}", f"it is ({COMMAND}), and then", "word " * 50, "a" * 99])
def test_a_line_has_80_columns_and_a_command_is_never_broken(text: str) -> None:
    lines = layout.line("Label", text).splitlines()
    assert [line for line in lines if len(line) > layout.COLUMNS and " " in line.strip() and COMMAND not in line] == []
    assert (COMMAND in text) == any(COMMAND in line for line in lines)
    assert " ".join("\n".join(lines).split()) == f"Label = {text.strip()}"


DISK = {"smdw": "the copy failed: No space left on device"}
TAKEN_BACK = "What this run had made is taken back: run this again when that is mended."
PAIR = {"engine": "postgresql", "pair": ["smdw", "mdw"], "answered": ["smdw", "mdw"]}
FAILURES: dict[str, tuple[dict[str, t.Any], list[str]]] = {
    "taken back": (
        {"causes": DISK, "undone": {"smdw": {"goes_on": False}, "mdw": {"changed": True}}},
        ["smdw: the copy failed: No space left on device.", TAKEN_BACK],
    ),
    "copy goes on": (
        {"answered": ["mdw"], "causes": {}, "undone": {"smdw": {}, "mdw": {"goes_on": True}}},
        ["smdw does not answer by SSH any more.", "The snapshot goes on by itself, nothing was taken back"],
    ),
    "verified copy waits": (
        {"causes": {"mdw": "no"}, "undone": {"smdw": {"goes_on": True, "phase": "done"}, "mdw": {}}},
        ["The verified copy waits, nothing was taken back: run this again"],
    ),
    "host lost": (
        {"answered": ["mdw"], "causes": {}, "undone": {"smdw": {}, "mdw": {"changed": True}}},
        ["What this run had made is still there on smdw: run this again when that is mended"],
    ),
    "undoing failed, too": (
        {"causes": DISK, "undone": {"smdw": {"goes_on": False}, "mdw": {"msg": "no session."}}},
        ["What this run had made is still there on mdw (no session)"],
    ),
    "slot lost": (
        {"causes": DISK, "undone": {"smdw": {"goes_on": False}, "mdw": {"slot_lost": True}}},
        [
            "The master had to drop WAL that the copy still needed",
            "ALTER SYSTEM SET max_slot_wal_keep_size",
            TAKEN_BACK,
        ],
    ),
}


@pytest.mark.parametrize(("found", "sentences"), FAILURES.values(), ids=FAILURES)
def test_failure_says_why_and_what_goes_on(found: dict[str, t.Any], sentences: list[str]) -> None:
    text = " ".join(failure.sentences({**PAIR, **found}))
    assert [words for words in sentences if words not in text] == []
    assert ("is taken back: run" in text) == any(words is TAKEN_BACK for words in sentences)


@pytest.mark.parametrize(
    ("marks", "seconds", "total"),
    [
        pytest.param({"began": 10.0, "judge": 12.5}, {"judge": 2.5, "act and confirm": 7.5}, 10.0, id="each step"),
        pytest.param({"began": 10.0, "a": None, "b": 15.0}, {"b": 5.0, "act and confirm": 5.0}, 10.0, id="left out"),
        pytest.param({}, {"act and confirm": 0.0}, 0.0, id="none"),
    ],
)
def test_times(marks: dict[str, float | None], seconds: dict[str, float], total: float) -> None:
    assert document.timed(marks, 20.0) == {"seconds": seconds, "total_seconds": total}


def test_work() -> None:
    report = {"title": "Standby on smdw", "facts": {"Snapshot": "not needed"}, "next": ["look at it"]}
    text = work.text({**report, **document.timed({"began": 10.0, "judge": 12.5}, 20.0)})
    assert text.splitlines()[0] == "Standby on smdw"
    assert value(text, "Snapshot") == ["not needed"]
    assert value(text, "Seconds") == ["10.0 (judge 2.5, act and confirm 7.5)"]
    assert text.splitlines()[-1] == "  Next: look at it"


KNOWN = ["standby_host", "existing_data", "server_port", "master_restart_allowed"]
NAMES: dict[str, tuple[list[str], dict[str, str | None]]] = {
    "known": (["standby_host", "server_port"], {}),
    "misspelt": (["standy_host"], {"standy_host": "standby_host"}),
    "misspelt with a known prefix": (["server_prot"], {"server_prot": "server_port"}),
    "unknown with a role's prefix": (["server_colour"], {"server_colour": None}),
    "somebody else's": (["nginx_port", "my_app"], {}),
    "prefix without an underscore": (["serverless"], {}),
    "Ansible's own": (["ansible_host", "inventory_hostname", "group_names"], {}),
    "other capitals": (["Standby_host"], {"Standby_host": "standby_host"}),
}


@pytest.mark.parametrize(("names", "wrong"), NAMES.values(), ids=NAMES)
def test_misspelt(names: list[str], wrong: dict[str, str | None]) -> None:
    assert options.misspelt(names, KNOWN, ["server", "standby"]) == wrong


def test_misspelt_sentence() -> None:
    wrong = {"standy_host": "standby_host", "server_colour": None}
    assert options.sentence(wrong, "in the inventory") == (
        "unknown variables in the inventory: server_colour, standy_host (did you mean standby_host?)"
    )


MEGABYTE = 1 << 20
LINES: dict[str, tuple[tuple[int, int | None, float, int], str]] = {
    "nothing yet": ((0, None, 0.0, 0), "copying"),
    "rate and time left": (
        (60 * MEGABYTE, 100 * MEGABYTE, 5.0, 10 * MEGABYTE),
        "copying, 60 %, 60 MB of 100 MB, 10 MB/s, 4 s left",
    ),
    "first look": ((10 * MEGABYTE, 100 * MEGABYTE, 0.0, 10 * MEGABYTE), "copying, 10 %, 10 MB of 100 MB"),
    "total not known": ((10 * MEGABYTE, None, 1.0, 0), "copying, 10 MB, 10 MB/s"),
    "more than the estimate": ((110 * MEGABYTE, 100 * MEGABYTE, 1.0, 0), "copying, 100 %, 110 MB of 110 MB, 110 MB/s"),
    "stalled": ((10 * MEGABYTE, 100 * MEGABYTE, 5.0, 10 * MEGABYTE), "copying, 10 %, 10 MB of 100 MB"),
}


@pytest.mark.parametrize(("given", "text"), LINES.values(), ids=LINES)
def test_progress(given: tuple[int, int | None, float, int], text: str) -> None:
    done, total, seconds, first = given
    answer = {"phase": "copying", "streamed_bytes": done, "total_bytes": total}
    assert progress.line("snapshot", answer, seconds, first) == f"  snapshot: {text}"


def test_after_a_check_run_comes_the_run() -> None:
    found = {"title": f"{work.UNCHANGED} make smdw the master", "next": ["bring mdw back"]}
    assert work.checked(found)["next"] == ["to do it, type the same without --check"]
    nothing = {"title": "Synchronized already", "next": ["look at it any time"]}
    assert work.checked(nothing) == nothing


@pytest.mark.parametrize(
    ("report", "result", "ended"),
    [
        pytest.param(document.begun("failover", 0.0, False), "failed", None, id="killed"),
        pytest.param(
            document.refused("failover", 0.0, 1.0, False, [ONE]), "refused", "1970-01-01T00:00:01Z", id="refused"
        ),
        pytest.param(
            document.failed("failover", 0.0, 1.0, False, ["x"]), "failed", "1970-01-01T00:00:01Z", id="failed"
        ),
    ],
)
def test_every_end_has_its_report(report: dict[str, t.Any], result: str, ended: str | None) -> None:
    head = {name: report[name] for name in ("version", "workflow", "result", "began", "ended")}
    assert head == {
        "version": 1,
        "workflow": "failover",
        "result": result,
        "began": "1970-01-01T00:00:00Z",
        "ended": ended,
    }
    assert set(report) <= set(t.get_type_hints(document.Report))


def test_a_report_tells_nothing_of_ansible() -> None:
    answer = {"changed": True, "stopped": "fast", "failed_when_result": False, "invocation": {}, "stdout_lines": []}
    told = sources.parts("failover", {"old": "mdw", "new": "smdw"}, lambda host, register: answer)
    assert told["fenced"] == {"changed": True, "stopped": "fast"}
