# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Copy the running master as a detached, verified job."""

from __future__ import annotations

from ..engines import choice
from ..engines.postgresql import snapshot
from ..host.lock import alone
from ..host.module import (
    INSTANCE_OPTION,
    instance_of,
    only,
    run_module,
)
from ..host.run import Runner


def main(module):
    """Act alone, but let others go on while the job is waited for."""
    options, act = module.params, not module.check_mode
    instance, run = instance_of(options["instance"]), Runner()
    if options["state"] == "finished":
        finish = choice.of(instance.engine, postgresql=snapshot.finished)
        return finish(instance, run, act, **only(options, "copy_id", "wait"))
    with alone(act):
        if options["state"] == "started":
            start = choice.of(instance.engine, postgresql=snapshot.started)
            names = ("request", "existing_data", "fresh", "make_room", "timeout")
            return start(instance, run, act, **only(options, *names))
        if options["state"] == "deployed":
            deploy = choice.of(instance.engine, postgresql=snapshot.deployed)
            return deploy(instance, run, act, **only(options, "copy_id", "existing_data"))
        remove = choice.of(instance.engine, postgresql=snapshot.absent)
        return remove(instance, run, act, **only(options, "spare", "wait"))


def run():
    """Run the module, as its options say."""
    run_module(
        main,
        named=lambda options: (options["request"] or {}).get("tablespace_mapping", {}).values(),
        supports_check_mode=True,
        required_if=[("state", "started", ["request"])],
        argument_spec={
            "instance": INSTANCE_OPTION,
            "state": {"type": "str", "choices": ["started", "finished", "deployed", "absent"], "required": True},
            "request": {
                "type": "dict",
                "options": {
                    "system_identifier": {"type": "str", "required": True},
                    "source": {"type": "dict", "required": True},
                    "slot": {"type": "str", "required": True},
                    "checkpoint": {"type": "str", "choices": ["fast", "spread"], "default": "fast"},
                    "rate_limit": {"type": "str"},
                    "compression": {
                        "type": "str",
                        "choices": ["none", "server-gzip", "server-lz4", "server-zstd"],
                        "default": "none",
                    },
                    "tablespace_mapping": {"type": "dict", "default": {}},
                    "tablespaces": {"type": "list", "elements": "str", "default": []},
                    "tablespace_version": {"type": "str"},
                },
            },
            "existing_data": {"type": "str", "choices": ["none", "keep", "discard"], "default": "none"},
            "fresh": {"type": "bool", "default": False},
            "make_room": {"type": "bool", "default": False},
            "spare": {"type": "bool", "default": False},
            "copy_id": {"type": "int"},
            "timeout": {"type": "int", "default": 86400},
            "wait": {"type": "int", "default": 2},
        },
    )
