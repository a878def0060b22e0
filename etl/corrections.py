"""Known errors of the sources, declared in the catalog, mended in the text and accounted for.

A correction is guarded: it names the record, what stands there and what is read instead. When the
department mends its file, or sends another, the load says so and fails, so that no correction ever
falls on a figure it was not meant for. Every application is kept in the table `correction`.
"""

import unicodedata

from etl.catalog import Correction, Dataset
from etl.errors import ForesightError
from etl.extract.raw import MENDED, RECORD, SHEET
from etl.warehouse import Warehouse, literal


class SourceMended(ForesightError):
    """The source says now what the correction made of it."""


class SourceChanged(ForesightError):
    """The source says something else than the correction expects."""


class NotOneRecord(ForesightError):
    """A correction finds no record, or several."""


def corrected(dataset: Dataset, texts: dict[str, str]) -> dict[str, str]:
    """`texts` (SQL of the text of each field as it stands) with the corrections of `dataset`."""
    mended = dict(texts)
    for correction in dataset.corrections:
        mended[correction.field] = (
            f"case when {_named(correction, texts)} then {literal(correction.correct)} "
            f"else {mended[correction.field]} end"
        )
    return mended


def fallen(dataset: Dataset, texts: dict[str, str]) -> str:
    """SQL of the list of corrections that fall on a row, by position; null for one that does not.

    Without corrections it is null itself.
    """
    each = [
        f"case when {_named(correction, texts)} then {number} end"
        for number, correction in enumerate(dataset.corrections)
    ]
    return f"[{', '.join(each)}]::integer[]" if each else "null::integer[]"


def guard(dataset: Dataset, texts: dict[str, str], relation: str, warehouse: Warehouse) -> None:
    """See that the records which `dataset` corrects say in `relation` what is expected.

    Raises:
        SourceMended, SourceChanged: a record holds another text than expected.
        NotOneRecord: several records answer to one correction.
    """
    for number, correction in enumerate(dataset.corrections):
        source = f"from {relation} where {_named(correction, texts)}"
        _guard(dataset, number, texts[correction.field], source, warehouse)


def keep_corrections(warehouse: Warehouse, dataset: Dataset) -> None:
    """Add what was corrected in the files being loaded to the table `correction`.

    Reads the temporary table `told` of the load.
    """
    for number, correction in enumerate(dataset.corrections):
        said = (correction.field, correction.expect, correction.correct, correction.reason)
        warehouse.run(
            f"insert into correction select load, {literal(dataset.name)}, shown, {SHEET}, "
            f"{RECORD}, {number}, {', '.join(map(literal, said))}, {literal(correction.by)}, "
            f"date {literal(correction.on)} from told where list_contains({MENDED}, {number})"
        )


def check_applied(warehouse: Warehouse, dataset: Dataset) -> None:
    """See that each correction of `dataset` fell on one record of the files loaded now.

    Raises:
        NotOneRecord: it fell on none, or on several.
    """
    for number in range(len(dataset.corrections)):
        times = warehouse.count(
            f"select count(*) from correction where dataset = {literal(dataset.name)} "
            f"and position = {number}"
        )
        if times != 1:
            raise _not_one(dataset, number, times)


def _guard(dataset: Dataset, number: int, text: str, source: str, warehouse: Warehouse) -> None:
    correction = dataset.corrections[number]
    found = warehouse.select(f"select coalesce(trim({text}), '') as found {source} limit 100")
    if found.height > 1:
        raise _not_one(dataset, number, found.height)
    for (said,) in found.iter_rows():
        if said in _spelled(correction.expect):
            continue
        if said in _spelled(correction.correct):
            raise SourceMended(
                f"the source has been mended: {_address(correction)} says {said!r} now",
                where=f"{dataset.name}.corrections[{number}]",
                hint="take the correction out of the catalog",
            )
        raise SourceChanged(
            f"{_address(correction)} says {said!r}, where {correction.expect!r} was expected",
            where=f"{dataset.name}.corrections[{number}]",
            hint="look into the source; then take the correction out, or write what it says now",
        )


def _not_one(dataset: Dataset, number: int, times: int) -> NotOneRecord:
    address = _address(dataset.corrections[number])
    return NotOneRecord(
        f"{times or 'no'} records of {dataset.path} answer to {address}",
        where=f"{dataset.name}.corrections[{number}]",
        hint="name one record under `where`, by texts as they stand in the file; "
        "if the source no longer has it, take the correction out",
    )


def _address(correction: Correction) -> str:
    where = ", ".join(f"{name}: {text}" for name, text in correction.where.items())
    return f"{correction.field} of the record {{{where}}}"


def _named(correction: Correction, texts: dict[str, str]) -> str:
    """SQL: whether a row is the record the correction names."""
    return " and ".join(_says(texts[name], text) for name, text in correction.where.items())


def _says(text: str, wanted: str) -> str:
    """SQL: whether a cell says this, whatever the composition of its letters and outer spaces."""
    return f"coalesce(trim({text}), '') in ({', '.join(map(literal, _spelled(wanted)))})"


def _spelled(text: str) -> list[str]:
    return sorted({unicodedata.normalize(form, text.strip()) for form in ("NFC", "NFD")})
