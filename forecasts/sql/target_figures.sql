-- The newest vintage of every outcome of these indicators, as published, newest period first.
select indicator, area, category, frequency, period, period_end, value, status, simulated, source, source_url, as_of
from current_observation
where list_contains($indicators, indicator) and list_contains($areas, area)
  and status is distinct from 'plan' and value is not null and period_end < $today
order by indicator, area, category, period_end desc, period desc, frequency
