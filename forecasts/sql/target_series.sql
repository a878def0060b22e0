-- What is known of these indicators on the boundaries of today, from periods that were over before the day.
select indicator, area, category, frequency, period, period_end, value, simulated, as_of
from comparable
where list_contains($indicators, indicator) and list_contains($areas, area)
  and status is distinct from 'plan' and value is not null and coalesce(period_end, period) < $today
order by indicator, area, category, frequency, period
