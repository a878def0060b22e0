-- What the warehouse knows of the quality of each dataset that was loaded; shares are 0 to 1.
with figure as (
    select * from current_observation where not simulated and status is distinct from 'plan'),
series as (
    select dataset, count(distinct period) filter (value is not null) as present,
           case frequency when 'month' then date_diff('month', min(period), max(period)) + 1
                when 'quarter' then date_diff('quarter', min(period), max(period)) + 1
                else date_diff('year', min(period), max(period)) + 1 end as expected
    from figure
    where frequency in ('month', 'quarter', 'year')
    group by dataset, indicator, area, area_vintage, category, frequency),
complete as (select dataset, sum(present) / sum(expected) as completeness from series group by dataset),
timely as (
    select dataset, max(period_end) filter (value is not null) as last_day,
           arg_max(date_diff('day', period_end, as_of), period_end) filter (value is not null and as_of >= period_end) as lag
    from figure group by dataset),
loaded as (
    select dataset, sum(rejected + unreadable) / nullif(sum(records), 0) as rejected from current_load group by dataset),
revised as (select dataset, count(*) as revisions from revision group by dataset),
corrected as (
    select dataset, count(*) as corrections from correction where load in (select load from current_load) group by dataset)
select dataset, completeness, last_day, lag, rejected, coalesce(revisions, 0) as revisions,
       coalesce(corrections, 0) as corrections
from (select distinct dataset from load)
left join complete using (dataset)
left join timely using (dataset)
left join loaded using (dataset)
left join revised using (dataset)
left join corrected using (dataset)
order by dataset
