-- The newest vintage of every outcome of these indicators, as published, newest period first. Of figures made from
-- days, a period whose days are not all there is no outcome.
with days as (
    select dataset, max(last_day) as last_day from current_load
    where dataset in (select dataset from observation where frequency = 'day') group by dataset
)
select indicator, area, category, frequency, period, period_end, value, status, simulated, source, source_url, as_of
from current_observation o left join days d using (dataset)
where list_contains($indicators, indicator) and list_contains($areas, area)
  and status is distinct from 'plan' and value is not null and period_end < $today
  and (d.last_day is null or period_end <= d.last_day)
order by indicator, area, category, period_end desc, period desc, frequency
