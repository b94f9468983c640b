# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

import json
import os
import re
import time

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.hawq.mirroring.plugins.module_utils.report import removal, texts
from ansible_collections.hawq.mirroring.plugins.module_utils.report import resync as resync_report

try:
    import jmespath

    HAS_JMESPATH = True
except ImportError:
    HAS_JMESPATH = False


class ActionModule(ActionBase):
    """Show a document to people and write it for programs, on the controller."""

    _requires_connection = False

    def run(self, tmp=None, task_vars=None):
        """Print the text (or one value), write the JSON file, fail if told that the document is bad news."""
        result = super().run(tmp, task_vars)
        arguments = self._task.args
        document = arguments["document"]
        if arguments["kind"] == "bill":
            Display().display(resync_report.bill(document))
            return {**result, "changed": False, "text": resync_report.bill(document)}
        kinds = {
            "failover": texts.failover,
            "switchover": texts.switchover,
            "segments": texts.segments,
            "resync": resync_report.resync,
            "removal": removal.report,
        }
        if arguments["kind"] in kinds:
            document = {**document, **kinds[arguments["kind"]](document)}
        if arguments["kind"] in ("work", *kinds):
            document = {**document, **texts.timed(document.get("marks", {}), time.time())}
        if self._task.check_mode:
            document = texts.checked(document)
        if arguments["kind"] == "failure":
            return {**result, "failed": True, "msg": texts.failure(document)}
        path, query = arguments.get("path"), arguments.get("query")
        if query:
            text = json.dumps(self._value(document, query), indent=2)
        else:
            text = texts.state(document) if arguments["kind"] == "state" else texts.work(document)
        if path:
            self._write(os.path.expanduser(path), json.dumps(document, indent=2, sort_keys=True) + "\n")
        text = texts.with_inventory(text, task_vars.get("ansible_inventory_sources") or [])
        Display().display(text)
        result.update(changed=False, text=text)
        if arguments.get("fail") and document.get("problems"):
            return {"failed": True, "changed": False, "msg": "; ".join(document["problems"])}
        return result

    @staticmethod
    def _value(document, query):
        if not HAS_JMESPATH:
            raise AnsibleActionFail(
                "state_query needs the Python package jmespath on the controller: pip install jmespath"
            )
        first = re.match(r"\s*([A-Za-z_]\w*)\s*(?!\w|\s*\()", query)
        if first and first[1] not in document:
            raise AnsibleActionFail(f"state_query: the report has no {first[1]}, but {', '.join(sorted(document))}")
        try:
            return jmespath.search(query, document)
        except jmespath.exceptions.JMESPathError as error:
            raise AnsibleActionFail(f"state_query {query!r} is not a JMESPath expression: {error}") from error

    @staticmethod
    def _write(path, text):
        temporary = f"{path}.new"
        try:
            with open(temporary, "w", encoding="utf-8") as file:
                file.write(text)
            os.replace(temporary, path)
        except OSError as error:
            raise AnsibleActionFail(f"the report cannot be written: {error}") from error
