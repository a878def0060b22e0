-- The newest vintage of every outcome of these indicators, as published, newest period first.
-- They are picked before vintages are told apart: over all figures that would take as long as reading them all.
with asked as (select * from observation where list_contains($indicators, indicator) and list_contains($areas, area))
select indicator, area, category, frequency, period, period_end, value, status, simulated, source, source_url, as_of
from newest_vintage('asked')
where status is distinct from 'plan' and value is not null and period_end < $today
order by indicator, area, category, period_end desc, period desc, frequency
