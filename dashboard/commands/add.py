"""`foresight add`: looks at a file and drafts its entry of the catalog."""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dashboard.commands.shell import Context

if TYPE_CHECKING:
    from etl.draft import Question


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--write", is_flag=True, help="Append the entry without asking.")
@click.option("--dry-run", is_flag=True, help="Only print; never write, never ask.")
@click.pass_obj
def add(context: Context, file: Path, write: bool, dry_run: bool) -> None:
    """Look at FILE and draft its entry of the catalog; ask only what the file does not tell."""
    from etl import draft

    settings = context.settings
    catalog, begun = draft.catalog_of(settings)
    if begun:
        context.say(f"there is no catalog {settings.catalog} yet: it begins with\n\n{begun}")
    asks = sys.stdin.isatty() and not (context.as_json or dry_run)
    made = draft.draft(
        file, catalog, settings, today=context.today, ask=_ask if asks else draft.nobody
    )
    if not context.as_json:
        context.table(["found", "in the file"], [list(row) for row in made.found])
        context.say("\n" + made.text)
    tried = draft.try_out(made, file, settings, context.today)
    context.say(tried.said() if tried else "too large to be tried: refresh will tell")
    written = write or (asks and click.confirm(f"Append it to {settings.catalog.name}?"))
    if written and not dry_run:
        draft.append(settings, made)
        ready = not made.questions and not (tried and tried.refused)
        command = "refresh" if ready else "check"
        context.say(f"{made.name} is in {settings.catalog.name}; next: foresight {command}")
    for question in made.questions:
        context.say(f"to be answered, at {question.about}: {question.text}")
    context.result(
        made.as_json()
        | {"trial": asdict(tried) if tried else None, "written": written and not dry_run}
        | ({"catalog": begun} if begun else {})
    )


def _ask(question: "Question") -> str | None:
    """The answer of the person at the terminal; nothing leaves the question open."""
    click.echo(question.text)
    for answer, meaning in question.options.items():
        click.echo(f"  {answer}" + (f": {meaning}" if meaning else ""))
    given = click.prompt("", default="", show_default=False, prompt_suffix="> ")
    found = [answer for answer in question.options if answer == given.strip()]
    return found[0] if found else None
