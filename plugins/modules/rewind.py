#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: rewind
short_description: Take a diverged server back to where its history left its master's
version_added: 0.2.0
description:
  - Runs C(pg_rewind) on a stopped server, so that only what differs is copied from the master. A server that was not
    shut down cleanly is recovered first, with all of its WAL kept; segments that it has removed and the master still
    has are fetched; its configuration is kept.
  - From the first change until the directory is a standby's, a mark beside it keeps it from being started.
  - A rewind that does not work is no failure of the module; RV(rewound) says so, and the next way can be tried.
extends_documentation_fragment:
  - hawq.mirroring.instance
  - hawq.mirroring.history
options:
  primary: {description: Connection keywords of the master., type: dict, required: true}
  role: {description: Role on the master that may read its files., type: str, required: true}
  passfile: {description: Password file with the password of the replication role., type: path, required: true}
  password_of: {description: Replication role whose password O(role) has., type: str, default: hawq_mirroring}
  fork: {description: LSN at which the histories part., type: str, required: true}
  timeout: {description: Seconds that the recovery and the rewind may take each., type: int, default: 3600}
attributes:
  check_mode: {description: Says what it would do., support: full}
  diff_mode: {description: Names the fork., support: full}
  idempotent:
    description: A directory that is rewound is not on another history any more, so it is not to be called again.
    support: none
author: [hawq.mirroring contributors (@hawq)]
"""

EXAMPLES = r"""
- name: Rewind the former master
  hawq.mirroring.rewind:
    instance: "{{ server_instance }}"
    primary: {host: smdw, port: 5432, sslmode: prefer}
    role: hawq_mirroring_rewind
    passfile: /home/gpadmin/.pgpass
    fork: 0/3017F88
    history: [{timeline: 1}]
"""

RETURN = r"""
rewound:
  description: Whether the directory is a standby's of the master now.
  type: bool
  returned: always
reason:
  description: Why not.
  type: str
  returned: when it is not
unfinished:
  description: Whether the directory was left half-way, so that it must not be started.
  type: bool
  returned: always
fetched: {description: Number of WAL segments that were fetched from the master., type: int, returned: success}
copied_bytes: {description: "What pg_rewind had to copy, in bytes.", type: int, returned: when it was rewound}
seconds: {description: How long it took., type: float, returned: always}
"""

import os
import re
import typing as t

from ansible_collections.hawq.mirroring.plugins.module_utils.engines.postgresql import (
    divergence,
    observe,
    rewind,
    server,
    snapshot,
)
from ansible_collections.hawq.mirroring.plugins.module_utils.host import files
from ansible_collections.hawq.mirroring.plugins.module_utils.host.errors import MirroringError
from ansible_collections.hawq.mirroring.plugins.module_utils.host.module import (
    INSTANCE_OPTION,
    instance_of,
    run_module,
)
from ansible_collections.hawq.mirroring.plugins.module_utils.host.run import Runner
from ansible_collections.hawq.mirroring.plugins.module_utils.values import conninfo, places

MEGABYTES = re.compile(r"need to copy (\d+) MB")


def last_words(text):
    """The last lines of a program, as one sentence."""
    lines = [line.strip() for line in text.splitlines() if line.strip() and "kB" not in line]
    return " | ".join(lines[-2:]) or "no word"


def prepare(module, instance, run, source, result):
    """Everything that leaves the directory a server's that could be started again."""
    options = module.params
    history = divergence.parts_of(options["history"])
    rewind.recover(instance, run, options["timeout"])
    size = int((observe.control(instance, run) or {}).get("wal_segment_bytes") or 0)
    while True:
        lsn, missing = divergence.checkpoint_before(instance, run, history, options["fork"], size, options["timeout"])
        if not missing:
            break
        result["fetched"] += rewind.fetch(instance, run, source, missing)
    if lsn is None:
        raise MirroringError(f"no checkpoint before {options['fork']} is left in its WAL")


def copy(instance, run, source, timeout, result):
    """Run pg_rewind. It says what it has to copy when it has read all and written nothing yet (13 to 18)."""
    code, output, errors = run(rewind.command_of(instance, source), timeout=timeout, user=instance.user)
    found = MEGABYTES.search(output + errors)
    # one that outlives the time-out may have begun since
    goes_on = code != 0 and server.end_rewind(instance.data_directory)
    if code != 0 and not found and not goes_on:
        result["unfinished"] = False
        raise MirroringError(f"pg_rewind does not work: {last_words(output + errors)}")
    if code != 0:
        raise MirroringError(f"pg_rewind stopped half-way: {last_words(output + errors)}")
    result["copied_bytes"] = int(found.group(1)) << 20 if found else 0


def work(module, instance, run, result):
    """Prepare, mark, rewind, make it a standby, take the mark away."""
    options, data = module.params, instance.data_directory
    if observe.unfinished(data):
        result.update(unfinished=True, changed=False)
        raise MirroringError("an earlier attempt has left it half-way")
    keywords = {**options["primary"], "user": options["role"], "dbname": "postgres"}
    keywords.pop("application_name", None)
    password = conninfo.password_in(files.read(options["passfile"]) or "", options["password_of"]) or ""
    os.makedirs(places.scratch(data), mode=0o700, exist_ok=True)
    files.write(module, os.path.join(data, "standby.signal"), "", instance.user)
    source = rewind.Source(keywords, rewind.write_passfile(instance, password, keywords, module))
    try:
        rewind.stop(instance, run)
        prepare(module, instance, run, source, result)
        rewind.save_configuration(instance)
        rewind.set_mark(module, data)
        result["unfinished"] = True
        copy(instance, run, source, options["timeout"], result)
        files.write(module, os.path.join(data, "standby.signal"), "", instance.user)
        rewind.restore_configuration(instance)
        snapshot.sync_directory(data)
        result.update(rewound=True, unfinished=False)
    finally:
        if not result["unfinished"]:
            rewind.take_mark(data)
        rewind.clear(instance)


def main(module):
    """Act alone; say why it did not work instead of failing."""
    instance, run = instance_of(module.params["instance"]), Runner()
    result: dict[str, t.Any] = {"changed": True, "rewound": False, "unfinished": False, "fetched": 0}
    result["diff"] = {"before": "its own history\n", "after": f"as its master at {module.params['fork']}\n"}
    if module.check_mode:
        return {**result, "rewound": True, "seconds": 0.0}
    return rewind.attempt(lambda: work(module, instance, run, result), result)


if __name__ == "__main__":
    run_module(
        main,
        supports_check_mode=True,
        argument_spec={
            "instance": INSTANCE_OPTION,
            "primary": {"type": "dict", "required": True},
            "role": {"type": "str", "required": True},
            "passfile": {"type": "path", "required": True, "no_log": False},
            "password_of": {"type": "str", "default": "hawq_mirroring", "no_log": False},
            "fork": {"type": "str", "required": True},
            "history": divergence.HISTORY_OPTION,
            "timeout": {"type": "int", "default": 3600},
        },
    )
