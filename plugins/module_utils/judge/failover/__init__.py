# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether a standby may take over: the evidence against the old master, the candidates, the plan.

It may import: values, engines.table, judge.
"""
