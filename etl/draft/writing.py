"""The entry as YAML, with what is to be said of a line behind it."""

import re
from typing import Any

from etl.draft.asking import Notebook
from etl.draft.plan import Plan

_RESERVED = {"true", "false", "null", "True", "False", "Null", "TRUE", "FALSE", "NULL"}


def write(plan: Plan) -> str:
    """The entry as YAML, a list item, with comments behind the lines."""
    say = plan.notebook.comment
    left_out = f"  # left out: {'; '.join(plan.left_out)}" if plan.left_out else ""
    source = {"title": plan.source} if plan.source else {}
    lines = [
        f"- name: {plan.name}{say('name')}",
        f"  title: {flow(plan.title)}{say('title')}",
        f"  sources: {flow([{**source, 'path': plan.path}])}",
        *_block("read", plan.read, plan.notebook),
        *_block("clean", plan.clean, plan.notebook),
        "  schema:",
        f"    fields:{left_out}",
    ]
    lines += [f"    - {flow(each.entry())}{say(each.name)}" for each in plan.fields]
    if plan.key:
        lines.append(f"    primaryKey: {flow(plan.key)}{say('key')}")
    if plan.tables:
        lines.append(f"  tables: {flow(plan.tables)}{say('tables')}")
    lines.append("  indicators:")
    for each in plan.indicators:
        name = each if isinstance(each, str) else each["name"]
        lines.append(f"  - {flow(each)}{say(f'indicator:{name}')}")
    return "\n".join(lines) + "\n"


def _block(name: str, content: dict[str, Any], notebook: Notebook) -> list[str]:
    """On one line, or one line a key where several of them are guesses."""
    others = [name, *(line for line in notebook.lines if line.startswith(f"{name}."))]
    if not content:
        said = notebook.comment(*others)
        return [said] if said else []
    keys = [f"{name}.{key}" for key in content]
    spare = notebook.comment(*(line for line in others if line not in keys))
    if sum(map(bool, map(notebook.comment, keys))) < 3:
        said = notebook.comment(*(line for line in others if line not in keys), *keys)
        return [f"  {name}: {flow(content)}{said}"]
    lines = [f"    {k}: {flow(v)}{notebook.comment(f'{name}.{k}')}" for k, v in content.items()]
    return [f"  {name}:{spare}", *lines]


def flow(value: Any) -> str:
    """A value on one line of YAML, quoted where the eye or the format needs it."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {flow(part)}" for key, part in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(flow, value)) + "]"
    if not isinstance(value, str):
        return str(value).lower() if isinstance(value, bool) else str(value)
    if (
        re.fullmatch(r"(?:[^\W\d_]|\$[a-z])(?:[\w ./%²³‰()-]*[\w.%²³‰)])?", value)
        and value not in _RESERVED
    ):
        return value
    if value.isprintable() and ("\\" in value or '"' in value):
        return "'" + value.replace("'", "''") + "'"
    letters = (c if c.isprintable() and c not in '"\\\\' else f"\\U{ord(c):08x}" for c in value)
    return '"' + "".join(letters) + '"'
