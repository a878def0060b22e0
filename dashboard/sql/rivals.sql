-- Figures of which several differ: other sources, or the same source on another day.
select indicator, area, frequency, period, period_end, count(distinct value) as figures
from observation
where category = 'total' and not simulated and status <> 'plan' and value is not null
group by all
having count(distinct value) > 1
