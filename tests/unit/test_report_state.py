# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The state as people read it."""

from __future__ import annotations

import typing as t

import cases
import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.report import state as state_text
from cases import unwrapped, value
from observations import master, mirrored, standby, stopped, unreachable


@pytest.fixture
def healthy() -> dict[str, t.Any]:
    return cases.state({"mdw": mirrored(), "smdw": standby()})


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
    "Rewind of smdw": "not needed: it is on the master's timeline",
    "If the server of mdw dies": "works: smdw takes over, nothing is lost",
    "If host mdw goes silent": "works: smdw takes over, once mdw is off and you say so",
    "If host mdw is lost with its disk": ("may lose: smdw takes over without what it has not received: 0 B, 0.0 s now"),
    "Switchover": "works: smdw takes over, mdw follows it",
}


@pytest.mark.parametrize(("label", "text"), LABELS.items(), ids=LABELS)
def test_state_labels(healthy: dict[str, t.Any], label: str, text: str) -> None:
    assert value(state_text.text(healthy), label) == [text]


def test_state_where_no_host_can_be_looked_at() -> None:
    text = state_text.text(cases.state({"mdw": unreachable(), "smdw": unreachable()}))
    assert value(text, "Host mdw") == ["not reachable by SSH (Connection timed out)"]


def test_the_timeline_of_a_stopped_server_is_said_once() -> None:
    text = state_text.text(cases.state({"mdw": stopped("mdw"), "smdw": standby()}))
    assert unwrapped(text).count("timeline 1") == 2  # of either host


def test_state_begins_as_hawq_state_does(healthy: dict[str, t.Any]) -> None:
    assert state_text.text(healthy).splitlines()[0] == "HAWQ instance status summary"
    assert "Problem" not in state_text.text(healthy)


def test_state_without_standby() -> None:
    text = state_text.text(cases.state({"mdw": master()}))
    assert value(text, "Master standby") == ["No Standby master defined"]
    assert value(text, "Mirroring state") == ["Not Configured"]
    assert value(text, "Standby master state") == value(text, "Standby behind") == []


def test_state_without_master() -> None:
    text = state_text.text(cases.state({"mdw": stopped("mdw")}))
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
    text = state_text.text(cases.state({"mdw": mirrored("mdw", {"server.mirroring": mirroring})}))
    assert value(text, "Mirroring state") == [
        "Not Synchronized (Connection error, standby smdw is not connected) since 1970-01-01 00:00:00 UTC"
    ]
    assert "Problem: standby smdw is Not Synchronized (Connection error)" in text


def test_what_is_the_same_is_said_once() -> None:
    fenced = {
        "mdw": mirrored(),
        "smdw": standby("smdw", {"data_directory.fenced": True, "data_directory.fence_timeline": 1}),
    }
    text = state_text.text(cases.state(fenced))
    assert value(text, "If the server of mdw dies") == ["refused: smdw is a running standby, fenced"]
    assert value(text, "If host mdw goes silent") == value(text, "If host mdw is lost with its disk") == ["the same"]


def test_a_problem_and_a_note_say_what_comes_next() -> None:
    hosts = {"mdw": mirrored("mdw", {"service.enabled": "disabled"}), "smdw": standby()}
    hosts["smdw"]["server"]["replay_paused"] = True
    text = unwrapped(state_text.text(cases.state(hosts)))
    assert (
        "  Note: hawq-master.service on mdw would not start at boot. Next: on mdw: systemctl enable hawq-master.service"
    ) in text
    assert "a switchover would be refused. Next: ansible-playbook hawq.mirroring.resync_standby" in text
