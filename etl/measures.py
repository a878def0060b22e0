"""From the clean tables to observations: values as given, and cases counted.

A dataset with a value per row gives one observation per row and indicator. A case-level dataset
gives, per area and category, flows of each month (`count`) and stocks at its end (`stock`), and per
area flows of each day; the cases themselves stay where they are.

Of two million cases few change with one file: `begin` and `touch` note in which months, and flows
are counted again in these alone. Stocks always are: what is open may have come in any month before.
"""

import datetime as dt

from etl.catalog import Condition, Dataset, Indicator, Measure, Table
from etl.warehouse import Warehouse, identifier, literal

OPTIONAL = {
    "category": "'total'",
    "status": "'final'",
    "as_of": "null::date",
    "source": "",
    "source_url": "null::varchar",
    "note": "null::varchar",
}


def begin(warehouse: Warehouse) -> None:
    """Nothing is touched yet: the temporary table `touched` is empty."""
    warehouse.run("create or replace temp table touched (dataset varchar, day varchar, month date)")


def touch(warehouse: Warehouse, dataset: str, which: str) -> None:
    """Note in `touched` the months of the cases `which` (SQL on the clean table), by each day.

    To be called before cases are taken out, and after they are brought in.
    """
    table = f"data_{dataset}"
    if table not in warehouse.tables():
        return
    days = warehouse.select(f"select * from {identifier(table)} limit 0").schema
    for day in (name for name, kind in days.items() if kind.is_temporal()):
        warehouse.run(
            f"insert into touched select distinct {literal(dataset)}, {literal(day)}, "
            f"date_trunc('month', {identifier(day)})::date from {identifier(table)} "
            f"where ({which}) and {identifier(day)} is not null"
        )


def observe(
    warehouse: Warehouse,
    dataset: Dataset,
    indicators: dict[str, Indicator],
    now: dt.datetime,
    *,
    whole: bool = True,
) -> int:
    """Make `observation` what the clean table of `dataset` gives now; how many figures were made.

    A figure that stands as before keeps the time since when it is known; one that its source no
    longer gives moves to `superseded`, known until `now` (UTC). Without `whole`, flows of cases are
    counted in the months of `touched` alone: all other figures must be those that would be made.
    """
    warehouse.run(
        "create or replace temp table arriving as select * exclude (known_from) "
        "from observation limit 0"
    )
    made = ["true"]
    # What is handed in may be without a file, and so without a table.
    loaded = f"data_{dataset.name}" in warehouse.tables()
    for name in dataset.delivered if loaded else []:
        indicator = indicators[name]
        if indicator.compute and indicator.value == "value" and dataset.field("value") is None:
            continue  # computed from others, in etl.comparable
        if dataset.case_level:
            months = None if whole else _months_touched(dataset, indicator)
            _observe_measure(warehouse, dataset, indicator, months)
            made += [f"(indicator <> {literal(name)} or {_in(months)})"] if months else []
        else:
            _observe_values(warehouse, dataset, indicator)
    _settle(warehouse, dataset, now, " and ".join(made))
    return warehouse.count("select count(*) from arriving")


def forget(warehouse: Warehouse, dataset: str, now: dt.datetime) -> None:
    """Supersede all figures of a dataset that is no longer in the catalog."""
    _supersede(warehouse, f"select rowid from observation where dataset = {literal(dataset)}", now)


def _months_touched(dataset: Dataset, indicator: Indicator) -> str | None:
    """SQL of the months in which a flow of cases may have changed; `None`: it is no flow alone."""
    measures = _measured(dataset, indicator)
    days = [literal(measure.count) for _, measure in measures if measure.count]
    if not days or len(days) < len(measures):
        return None
    return (
        f"select month from touched where dataset = {literal(dataset.name)} "
        f"and day in ({', '.join(days)})"
    )


def _in(months: str, day: str = "period") -> str:
    return f"date_trunc('month', {day})::date in ({months})"


def _settle(warehouse: Warehouse, dataset: Dataset, now: dt.datetime, made: str) -> None:
    """Bring `observation` from what it says of the dataset to what `arriving` says.

    Only figures for which the SQL `made` holds were made anew; the others stay.
    """
    mine = f"dataset = {literal(dataset.name)} and {made}"
    columns = warehouse.select("select * from arriving limit 0").columns
    same = " and ".join(f"o.{name} is not distinct from a.{name}" for name in columns)
    _supersede(
        warehouse,
        f"select o.rowid from observation o where {mine} "
        f"and not exists (select 1 from arriving a where {same})",
        now,
    )
    warehouse.run(
        f"insert into observation select *, {_moment(now)} from (from arriving except "
        f"select {', '.join(columns)} from observation where {mine})"
    )


def _supersede(warehouse: Warehouse, which: str, now: dt.datetime) -> None:
    """Move the observations that the SQL `which` numbers to `superseded`."""
    warehouse.run(f"create or replace temp table gone as {which}")
    if warehouse.count("select count(*) from gone"):
        warehouse.run(
            f"insert into superseded by name "
            f"select *, {_moment(now)} as known_until from observation "
            "where rowid in (from gone); "
            "delete from observation where rowid in (from gone)"
        )


def _moment(now: dt.datetime) -> str:
    return f"timestamp {literal(now.isoformat(sep=' '))}"


def _observe_values(warehouse: Warehouse, dataset: Dataset, indicator: Indicator) -> None:
    columns = {field.name for field in dataset.schema_.fields}
    held_in, conditions = held(dataset, indicator)
    given = {
        name: identifier(name) if name in columns else default for name, default in OPTIONAL.items()
    }
    given["source"] = given["source"] or literal(dataset.sources[0].title or dataset.title)
    value = identifier(held_in)
    warehouse.run(
        f"insert into arriving select {literal(indicator.name)}, area, area_vintage, "
        f"coalesce({given['category']}, 'total'), frequency, period, period_end, {value}, "
        f"null, null, coalesce({given['status']}, 'final'), {dataset.simulated}, 0, "
        f"{literal(dataset.name)}, {given['source']}, {given['source_url']}, {given['note']}, "
        f"{given['as_of']} "
        f"from {_table(dataset)} where {' and '.join([*conditions, f'{value} is not null'])}"
    )


def held(dataset: Dataset, indicator: Indicator) -> tuple[str, list[str]]:
    """The field that holds an indicator, and in SQL what the rows that are of it satisfy."""
    # An indicator described for a wide table elsewhere is a row of `value` in a long one.
    field = indicator.value if dataset.field(indicator.value) else "value"
    where = dict(indicator.where)
    if not where and dataset.field("indicator") and field == "value":
        where = {"indicator": indicator.name}
    return field, [f"{identifier(k)}::varchar = {literal(v)}" for k, v in where.items()]


def largest_share(warehouse: Warehouse, dataset: Dataset, indicator: Indicator) -> float | None:
    """The largest of its figures, where three or more lie from 0 to 1 and are not only 0 and 1."""
    field, conditions = held(dataset, indicator)
    value = identifier(field)
    found = warehouse.select(
        f"select count(*) > 2 and min({value}) >= 0 and max({value}) <= 1 "
        f"and not bool_and({value} in (0, 1)), max({value}) "
        f"from {_table(dataset)} where {' and '.join([*conditions, f'{value} is not null'])}"
    )
    parts, largest = found.row(0)
    return largest if parts else None


def _observe_measure(
    warehouse: Warehouse, dataset: Dataset, indicator: Indicator, months: str | None
) -> None:
    for table, measure in _measured(dataset, indicator):
        sql = (
            _flow(dataset, table, measure, months)
            if measure.count
            else _stock(dataset, table, measure)
        )
        warehouse.run(
            f"insert into arriving select {literal(indicator.name)}, area, "
            f"area_vintage, category, frequency, period, period_end, value, null, null, "
            f"'final', {dataset.simulated}, 0, {literal(dataset.name)}, "
            f"{literal(dataset.sources[0].title or dataset.title)}, null, null, "
            f"as_of from ({sql})"
        )


def _measured(dataset: Dataset, indicator: Indicator) -> list[tuple[Table, Measure]]:
    """What the cases of an indicator are counted by."""
    return [
        (table, measure)
        for table in dataset.tables
        for measure in table.measures
        if measure.name == indicator.value
    ]


def _flow(dataset: Dataset, table: Table, measure: Measure, months: str | None) -> str:
    """Cases of each month (or of these) by area and category, and of each day by area.

    A cell of a day, an area and a category holds one case or two: more cells than cases.
    """
    day = identifier(measure.count or "")
    among = f" and {_in(months, day)}" if months else ""
    some = (
        "count(*)::double as value, max(last_day) as as_of "
        f"from {_table(dataset)} join current_load using (load) "
        f"where {_conditions(measure, day)}{among} group by all"
    )
    return (
        f"select area, area_vintage, {_category(table)} as category, 'month' as frequency, "
        f"date_trunc('month', {day})::date as period, last_day({day}) as period_end, {some} "
        "union all "
        f"select area, area_vintage, 'total', 'day', {day}, {day}, {some}"
    )


def _stock(dataset: Dataset, table: Table, measure: Measure) -> str:
    """Rows open at the end of each month: all that entered so far less all that left."""
    stock = measure.stock
    if stock is None:
        raise TypeError(f"{measure.name} is not a stock")
    enters = f"{identifier(stock.after)} + 1" if stock.after else identifier(stock.from_ or "")
    leaves = identifier(stock.until)
    keys = f"area, area_vintage, {_category(table)} as category"
    some = f"from {_table(dataset)} where {_conditions(measure, enters)} and "
    return (
        f"with moves as ("
        f"select {keys}, date_trunc('month', {enters})::date as period, count(*) as n "
        f"{some} ({leaves} is null or {leaves} > {enters} - 1) group by all "
        f"union all "
        f"select {keys}, date_trunc('month', greatest({leaves}, {enters}))::date, -count(*) "
        f"{some} {leaves} >= {enters} group by all), "
        f"months as (select unnest(generate_series((select min(period) from moves), "
        f"(select max(date_trunc('month', last_day)) from current_load "
        f"where dataset = {literal(dataset.name)})::date, interval 1 month))::date as period), "
        f"cells as (select distinct area, area_vintage, category from moves), "
        f"net as (select area, area_vintage, category, period, sum(n) as n "
        f"from moves group by all) "
        f"select area, area_vintage, category, 'month' as frequency, period, "
        f"last_day(period) as period_end, "
        f"sum(coalesce(n, 0)) over ("
        f"partition by area, area_vintage, category order by period)::double as value, "
        f"least(last_day(period), (select max(last_day) from current_load "
        f"where dataset = {literal(dataset.name)})) as as_of "
        f"from cells cross join months "
        f"left join net using (area, area_vintage, category, period) "
        f"qualify value > 0"
    )


def _category(table: Table) -> str:
    return "category" if "category" in table.by else "'total'"


def _conditions(measure: Measure, day: str) -> str:
    parts = [f"{day} is not null"]
    for name, condition in measure.where.items():
        column = identifier(name)
        if not isinstance(condition, Condition):
            parts.append(f"{column}::varchar = {literal(condition)}")
            continue
        if condition.at_most:
            parts.append(f"{column} <= {identifier(condition.at_most)}")
        if condition.after:
            parts.append(f"{column} > {identifier(condition.after)}")
    return " and ".join(parts)


def _table(dataset: Dataset) -> str:
    return identifier(f"data_{dataset.name}")
