"""Departments hand in: template, draft, verdict, submission, approval by another, release.

`journal` is the audit and the only record, `store` what follows from it and who may do what,
`vault` the files as they came, `placing` brings released ones among the sources; `verdict` says
what stands in a file, `template` makes the workbook to fill in, `due` knows what is owed.
"""

from etl.handin.due import Due, Reminder, due_day, due_files, reminders
from etl.handin.journal import BrokenAudit, Entry, exported
from etl.handin.placing import PlaceTaken, Settled, given_reasons, place_of, settle
from etl.handin.release import Released, release, release_due, settle_after
from etl.handin.store import (
    Actor,
    SamePerson,
    StepRefused,
    Store,
    Submission,
    UnknownSubmission,
    made_by,
    schedule,
)
from etl.handin.template import NoTemplate, template
from etl.handin.vault import MOST_BYTES, FileRefused
from etl.handin.verdict import NoRecords, OthersStop, Verdict, WouldStop, WrongPeriod, examined

__all__ = [
    "MOST_BYTES",
    "Actor",
    "BrokenAudit",
    "Due",
    "Entry",
    "FileRefused",
    "NoRecords",
    "NoTemplate",
    "OthersStop",
    "PlaceTaken",
    "Released",
    "Reminder",
    "SamePerson",
    "Settled",
    "StepRefused",
    "Store",
    "Submission",
    "UnknownSubmission",
    "Verdict",
    "WouldStop",
    "WrongPeriod",
    "due_day",
    "due_files",
    "examined",
    "exported",
    "given_reasons",
    "made_by",
    "place_of",
    "release",
    "release_due",
    "reminders",
    "schedule",
    "settle",
    "settle_after",
    "template",
]
