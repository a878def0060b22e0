"""The clean table: `schema` and `rules`.

Fields with these names have the meaning of the observation's column of that name, without being
told so: `area, period, category, value, status, as_of, source, source_url, note`, and `indicator`
in long tables.
"""

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from etl.catalog.parts import Name, Part, Text, one_or_many


class Constraints(Part):
    """Table Schema constraints."""

    required: bool = False
    unique: bool = False
    minimum: float | str | None = None
    maximum: float | str | None = None
    enum: list[Text] | None = None
    pattern: str | None = None
    min_length: int | None = Field(default=None, alias="minLength")
    max_length: int | None = Field(default=None, alias="maxLength")


class Category(Part):
    """One allowed value: `value` in the clean table, `label` as departments write it."""

    value: Text
    label: str
    label_en: str | None = None
    spellings: list[str] = []


class FieldEntry(Part):
    """One column of the clean table."""

    name: Name
    type: Literal["string", "integer", "number", "boolean", "date", "year", "yearmonth"] = "string"
    title: str | None = None
    title_en: str | None = None
    description: str | None = None
    constraints: Constraints = Constraints()
    categories: Annotated[list[Category], BeforeValidator(lambda v: _plain_categories(v))] = []
    from_: Annotated[list[str], BeforeValidator(one_or_many)] = Field(default=[], alias="from")
    unit: str | None = None
    sensitive: bool = False

    @property
    def spellings(self) -> list[str]:
        """Headers under which the column is found in a file; its own name if none are given."""
        return self.from_ or [self.name]


def _plain_categories(value: Any) -> Any:
    if not isinstance(value, list):
        return value
    return [v if isinstance(v, dict) else {"value": v, "label": str(v)} for v in value]


class Schema(Part):
    """The clean table."""

    fields: list[FieldEntry]
    primary_key: Annotated[list[Name], BeforeValidator(one_or_many)] = Field(
        default=[], alias="primaryKey"
    )


class Rule(Part):
    """What every row must satisfy; it holds where it cannot be told for missing values.

    `check: a <= b` relates two fields, or one and a value. `sql` is an expression that is true or
    false; which may stand there, `etl.expressions` says.
    """

    name: Name
    check: (
        Annotated[str, Field(pattern=r"^\w+ (<=|>=|<|>|=|!=) (\w+|-?[\d.]+|'[^']*')$")] | None
    ) = None
    sql: Annotated[str, Field(max_length=1000)] | None = None
    title: str | None = None
    title_en: str | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.check is None) == (self.sql is None):
            raise ValueError("a rule needs either check or sql")
        return self
