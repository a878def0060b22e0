-- What is shown for every series asked for, counted by what competed and what won.
with latest as (
    select * from forecast_series
    qualify issue = max(issue) over (partition by indicator, area, category, frequency)
)
select indicator, level, category <> 'total' as by_category, frequency, coalesce(candidates, '') as candidates,
       model, benchmark, coalesce(beats, false) as beats, refused, help, bool_or(simulated) as simulated,
       count(*) as series, avg(skill) as skill
from latest
group by all
order by indicator, level, by_category, frequency, series desc
