select indicator, area, category, period, value, simulated, as_of
from comparable
where list_contains($indicators, indicator)
  and level = $level
  and (category <> 'total') = $by_category
  and frequency = $frequency
  and status is distinct from 'plan'
  and coalesce(period_end, period) < $today
order by indicator, area, category, period
