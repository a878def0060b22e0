-- Counts of cases a month as series that are large enough to be judged: of each area, of each category, and of all
-- together, where area is empty. A month counts from a week before its end: the last day of work may be a Friday.
with monthly as (
    select o.*
    from observation o
    join (select dataset, max(last_day) as last_day from current_load group by 1) l using (dataset)
    where o.dataset = any($datasets) and o.frequency = 'month' and o.period_end <= l.last_day + 7),
counted as (
    select distinct dataset, indicator, coalesce(area, '') as area, area_vintage, coalesce(category, 'total') as category,
           frequency, period, period_end, sum(value) as value,
           'final' as status, null::date as as_of
    from monthly
    group by grouping sets (
        (dataset, indicator, frequency, period, period_end),
        (dataset, indicator, frequency, period, period_end, category),
        (dataset, indicator, frequency, period, period_end, area, area_vintage)))
select *
from counted
-- Fewer vary by chance as much as by mistake.
qualify median(value) over (partition by dataset, indicator, area, area_vintage, category) >= 20
order by all
