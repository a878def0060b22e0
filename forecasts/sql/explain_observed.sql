-- The outcomes of one series.
select period, value
from comparable
where indicator = $indicator and area = $area and category = $category and frequency = $frequency
  and isfinite(value) and status is distinct from 'plan'
qualify row_number() over (partition by period order by as_of desc nulls last) = 1
order by period
