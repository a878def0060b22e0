"""`foresight builds`, `foresight undo`: the builds on disk, and one back."""

import datetime as dt

import click

from dashboard.commands.shell import AT_LEAST_1, Context
from etl.builds import builds, prune, undo


@click.command("builds")
@click.option("--keep", type=AT_LEAST_1, help="Delete all but so many, newest first.")
@click.pass_obj
def list_builds(context: Context, keep: int | None) -> None:
    """All builds on disk, newest first. A refresh keeps five; the current one is never deleted."""
    if keep:
        prune(context.settings.home, keep)
    rows = [
        [
            "*" if build.current else "",
            build.name,
            dt.datetime.fromtimestamp(build.created, dt.UTC).isoformat(timespec="seconds"),
            f"{build.size / 1e6:.0f} MB",
        ]
        for build in builds(context.settings.home)
    ]
    context.table(["current", "build", "made", "size"], rows)


@click.command("undo")
@click.pass_obj
def undo_build(context: Context) -> None:
    """Move the pointer back to the build before."""
    name = undo(context.settings.home)
    context.say(f"current build is now {name}; the dashboard shows it at the next page")
    context.result({"build": name})
