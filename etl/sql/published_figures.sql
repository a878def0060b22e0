-- The newest real figure of the city for each of these indicators, the longest period first among those of one day.
select indicator, area, category, frequency, period, period_end, value, status, as_of
from comparable
where list_contains($indicators, indicator) and not simulated and value is not null and status <> 'plan'
qualify row_number() over (
    partition by indicator, area, category
    order by period_end desc, period, as_of desc nulls last) = 1
