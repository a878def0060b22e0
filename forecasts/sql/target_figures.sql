-- The newest vintage of every outcome of these indicators, as published, newest period first. Of figures made from
-- days, a period whose days are not all there is no outcome. Figures are picked before vintages are told apart: over
-- all of them that would take as long as reading them all.
with asked as (select * from observation where list_contains($indicators, indicator) and list_contains($areas, area)),
days as (
    select dataset, max(last_day) as last_day from current_load
    where dataset in (select dataset from observation where frequency = 'day') group by dataset
)
select indicator, area, category, frequency, period, period_end, value, status, simulated, source, source_url, as_of
from newest_vintage('asked') o left join days d using (dataset)
where status is distinct from 'plan' and value is not null and period_end < $today
  and (d.last_day is null or period_end <= d.last_day)
order by indicator, area, category, period_end desc, period desc, frequency
