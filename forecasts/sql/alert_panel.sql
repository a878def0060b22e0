-- Monthly figures of these indicators at these levels, on the boundaries of today, from months that were over.
select indicator, area, category, period, value, simulated, level
from comparable
where list_contains($indicators, indicator) and level = $level and frequency = 'month'
  and (category <> 'total') = $by_category and value is not null
  and status is distinct from 'plan' and coalesce(period_end, period) < $today
order by indicator, area, category, period
