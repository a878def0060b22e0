-- The values of these series up to their origins.
select a.frequency, a.origin, c.indicator, c.area, c.category, c.period, c.value
from asked a
join comparable c
  on c.indicator = a.indicator and c.area = a.area and c.category = a.category
 and c.frequency = a.frequency and c.period <= a.origin
where c.value is not null and isfinite(c.value) and c.status is distinct from 'plan'
qualify row_number() over (
    partition by c.indicator, c.area, c.category, c.frequency, c.period order by c.as_of desc nulls last) = 1
order by all
