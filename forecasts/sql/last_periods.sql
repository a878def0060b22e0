-- The series of totals, each with the last period that has a value.
select indicator, area, category, level, frequency, max(period) as last
from comparable
where category = 'total' and value is not null and status is distinct from 'plan'
group by all
order by all
