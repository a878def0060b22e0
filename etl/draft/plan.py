"""An entry in the making: its fields, blocks, indicators, and what is left out."""

from dataclasses import dataclass, field
from typing import Any

from etl.catalog import Catalog
from etl.draft import words
from etl.draft.asking import Notebook
from etl.draft.columns import Column
from etl.draft.shaping import Shaped
from etl.extract.raw import plain


@dataclass
class Field:
    """A line of the schema."""

    name: str
    type: str = "string"
    column: Column | None = None
    more: dict[str, Any] = field(default_factory=dict)

    def entry(self) -> dict[str, Any]:
        """As it stands in the catalog, without defaults."""
        made: dict[str, Any] = {"name": self.name}
        if self.type != "string":
            made["type"] = self.type
        if self.column and plain(self.column.label) != self.name:
            made["from"] = [self.column.label]
        return made | self.more


@dataclass
class Plan:
    """An entry in the making."""

    name: str
    title: str
    path: str
    shaped: Shaped
    notebook: Notebook
    catalog: Catalog
    fields: list[Field] = field(default_factory=list)
    key: list[str] = field(default_factory=list)
    tables: list[dict[str, Any]] = field(default_factory=list)
    indicators: list[dict[str, Any] | str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    source: str = ""

    @property
    def clean(self) -> dict[str, Any]:
        """The block `clean`."""
        return self.shaped.clean

    @property
    def read(self) -> dict[str, Any]:
        """The block `read`."""
        return self.shaped.read

    def constant(self, name: str, value: str) -> None:
        """A field with one value for all rows."""
        self.clean.setdefault("constant", {})[name] = value

    def taken(self) -> set[str]:
        """Names of fields so far."""
        return {each.name for each in self.fields}


def label_field(plan: Plan, column: Column, name: str | None = None) -> Field:
    """A column of labels, each given an identifier."""
    made = words.unique(name or words.name_of(column.label, "label"), plan.taken() | {"value"})
    column.field = made
    taken: set[str] = set()
    categories = []
    for label in column.distinct:
        value = "total" if words.TOTALS.match(label) else words.name_of(label, "label")
        value = words.unique(value, taken)
        taken.add(value)
        categories.append({"value": value, "label": label})
    added = Field(made, "string", column, {"categories": categories})
    plan.fields.append(added)
    plan.notebook.guess(made, column.why)
    return added


def sensitive_fields(plan: Plan) -> None:
    for column in plan.shaped.of("personal"):
        name = words.unique(column.sensitive_name, plan.taken())
        column.field = name
        plan.fields.append(Field(name, "string", column, {"sensitive": True}))
        plan.notebook.guess(name, column.why)


def unit_of(plan: Plan, column: Column) -> str | None:
    """The unit of its figures: by its header, by percent signs, or that of the table."""
    marked = sum(text.endswith("%") for text in column.filled) * 2 > len(column.filled)
    return words.split_unit(column.label)[1] or ("%" if marked else table_unit(plan))


def table_unit(plan: Plan) -> str | None:
    return next((unit for title in plan.shaped.titles if (unit := words.unit_in(title))), None)
