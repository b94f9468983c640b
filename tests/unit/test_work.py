# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a run that has done something says."""

from __future__ import annotations

from ansible_collections.hawq.mirroring.plugins.module_utils.report import document, work
from cases import value


def test_work() -> None:
    report = {"title": "Standby on smdw", "facts": {"Snapshot": "not needed"}, "next": ["look at it"]}
    text = work.text({**report, **document.timed({"began": 10.0, "judge": 12.5}, 20.0)})
    assert text.splitlines()[0] == "Standby on smdw"
    assert value(text, "Snapshot") == ["not needed"]
    assert value(text, "Seconds") == ["10.0 (judge 2.5, act and confirm 7.5)"]
    assert text.splitlines()[-1] == "  Next: look at it"


def test_after_a_check_run_comes_the_run() -> None:
    found = {"title": f"{work.UNCHANGED} make smdw the master", "next": ["bring mdw back"]}
    assert work.checked(found)["next"] == ["to do it, type the same without --check"]
    nothing = {"title": "Synchronized already", "next": ["look at it any time"]}
    assert work.checked(nothing) == nothing


def test_for_whom_commits_wait_is_told_where_a_guard_sees_to_it() -> None:
    plan = {"standby": "smdw", "guard": {"mode": "synchronous"}}
    assert work.waits({"plan": {**plan, "guard": None}, "check": False}) == {}
    told = {"plan": plan, "check": False, "waits": {"names": ["sdw1", "smdw"]}}
    assert work.waits(told) == {"Commits": "wait for sdw1 and smdw"}
    assert work.waits({**told, "check": True}) == {"Commits": "would wait for smdw"}
    told["plan"] = {**plan, "guard": {"mode": "asynchronous"}}
    assert work.waits(told) == {"Commits": "wait for no standby (mirroring_mode=asynchronous)"}


def test_a_pair_that_is_in_order_is_told_so() -> None:
    steps = {name: [] for name in work.STEPS}
    plan = {"standby": "smdw", "master": "mdw", "snapshot": False, "existing_data": "none", "size_bytes": 1}
    told = {
        "plan": {**plan, "steps": steps},
        "check": False,
        "mirroring": {},
        "kept": [],
        "notes": [],
        "changed": False,
    }
    found = work.init_standby(told)
    assert found["nothing"] is True
    assert found["title"].endswith(": all in order, nothing changed")
    found = work.checked(work.init_standby({**told, "check": True}))
    assert found["title"].endswith(": all in order, a run would change nothing")
    assert "--check" not in str(found["next"])
    for more in ({"changed": True}, {"plan": {**plan, "steps": {**steps, "source": ["mdw"]}}}):
        found = work.init_standby({**told, **more})
        assert found["nothing"] is False
        assert "nothing changed" not in found["title"]
    assert "Left out" not in work.init_standby(told)["facts"]
    skipped = {"/etc/pg/log": "it is larger than 1 MB"}
    assert work.init_standby({**told, "left_out": skipped})["facts"]["Left out"] == (
        "/etc/pg/log (it is larger than 1 MB)"
    )
