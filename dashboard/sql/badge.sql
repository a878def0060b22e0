-- What the six words are judged by, and the way from file to figure: one row for each dataset that was loaded.
-- `present` and `expected` count periods as the open-data portal does: from the first to the last of each series. Of the
-- datasets of `cases` (named, with blanks between) they count periods with any case: no case in a commune is no gap.
with loaded as (
    select dataset, count(*) as files, arg_max(file, load) as file, arg_max(checksum, load) as checksum,
           sum(records)::bigint as records, sum(accepted)::bigint as accepted,
           sum(coalesce(rejected, 0) + coalesce(unreadable, 0))::bigint as bad
    from current_load group by dataset),
totals as (
    select dataset, count(*) filter (agrees is not null) as totals, count(*) filter (agrees) as agreeing
    from stated_total where load in (select load from current_load) group by dataset),
broken as (
    select dataset, count(distinct rule) as rules, count(distinct (file, sheet, record)) as broken,
           count(distinct (field, value)) filter (rule like '%\_known' escape '\') as unresolved
    from rejected group by dataset),
corrected as (
    select dataset, count(*) as corrections from correction where load in (select load from current_load) group by dataset),
series as (
    select dataset, frequency, count(*) as figures, count(distinct period) filter (value is not null) as present,
           max(period_end) filter (value is not null) as last_day,
           case when frequency <> 'span' then date_diff(frequency, min(period), max(period)) + 1 end as expected
    from observation
    where status is distinct from 'plan'
    group by dataset, frequency, case when not list_contains(string_split($cases, ' '), dataset)
                                      then {i: indicator, a: area, v: area_vintage, c: category} end),
counted as (
    select dataset, sum(figures)::bigint as observed, max(last_day) as last_day, sum(present)::bigint as present,
           sum(expected)::bigint as expected
    from (select * replace (case when expected is not null then present end as present) from series)
    group by dataset),
newest as (
    select dataset, area as code, area_vintage, greatest(o.period_end, max(area_vintage) over (partition by dataset)) as day
    from (select distinct dataset, area, area_vintage, period_end from observation
          where status is distinct from 'plan' and value is not null) o
    join counted c using (dataset)
    where o.period_end = c.last_day),
living as (
    select n.dataset, n.day, n.code, a.level
    from newest n join area a using (code, area_vintage)
    where a.valid_to is null or a.valid_to >= n.day),
places as (
    select l.dataset, any_value(l.areas) as areas, count(distinct a.code) as areas_expected
    from (select dataset, day, count(distinct code) as areas, list(distinct level) as levels from living group by all) l
    join area a on list_contains(l.levels, a.level) and a.area_vintage <= l.day
     and (a.valid_to is null or a.valid_to >= l.day)
    group by l.dataset),
twice as (
    select dataset, count(*) filter (others > 1) as twice
    from (select dataset, count(*) over (partition by title, unit) as others from indicator)
    group by dataset),
rival as (
    select i.dataset, count(distinct indicator) as rivals from concept join indicator i using (indicator) group by all),
carried as (select dataset, count(*) as comparable from comparable group by dataset),
ahead as (
    select dataset, count(*) as forecasts
    from (select distinct dataset, indicator from comparable) join (
        select indicator from forecast_series
        qualify issue = max(issue) over (partition by indicator, area, category, frequency) and refused is null)
    using (indicator) group by dataset)
select l.*, totals, agreeing, coalesce(rules, 0) as rules, coalesce(broken, 0) as broken,
       coalesce(unresolved, 0) as unresolved, coalesce(corrections, 0) as corrections, observed, last_day,
       present, expected, areas, areas_expected, coalesce(twice, 0) as twice,
       coalesce(rivals, 0) as rivals, comparable, forecasts
from loaded l
left join totals using (dataset)
left join broken using (dataset)
left join corrected using (dataset)
left join counted using (dataset)
left join places using (dataset)
left join twice using (dataset)
left join rival using (dataset)
left join carried using (dataset)
left join ahead using (dataset)
