-- What these indicators came to, month by month, in every area.
select indicator, area, period, value
from comparable
where indicator in (select unnest($indicators)) and category = 'total' and frequency = 'month' and isfinite(value)
  and status is distinct from 'plan'
qualify row_number() over (partition by indicator, area, period order by as_of desc nulls last) = 1
order by all
