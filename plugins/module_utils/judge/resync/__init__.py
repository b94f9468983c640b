# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The cheapest safe way to make a host a synchronised standby again: the ways, what each costs, the plan.

It may import: values, engines.table, judge.
"""
