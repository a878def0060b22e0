-- What was issued last of one series, and the issue before; without rows where it was refused.
with last_two as (
    select issue from forecast_series
    where indicator = $indicator and area = $area and category = $category and frequency = $frequency
    order by issue desc limit 2)
select f.issue, f.issue = (select max(issue) from last_two) as newest, f.issued, f.origin, f.period, f.horizon, f.model,
       f.value, f.simulated
from forecast f semi join last_two using (issue)
where indicator = $indicator and area = $area and category = $category and frequency = $frequency
  and abs(quantile_level - 0.5) < 1e-9
order by f.issue desc, f.period
