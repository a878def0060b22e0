-- The people each commune of today has, by the newest figure of a period that began before the day.
select area, value as people, period, simulated
from comparable
where indicator = $indicator and category = 'total' and value is not null and period <= $today
  and area in (select code from area where level = 'commune' and valid_to is null)
  and status is distinct from 'plan'
qualify row_number() over (partition by area order by period desc, as_of desc nulls last) = 1
order by area
