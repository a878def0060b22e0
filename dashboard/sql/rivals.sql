-- Figures of which several differ: other sources, the same source on another day, or another member of the concept.
with mates as (
    select indicator, indicator as other from indicator
    union
    select one.indicator, two.indicator from concept one join concept two using (concept)
)
select m.indicator, o.area, o.frequency, o.period, o.period_end, count(distinct o.value) as figures
from mates m join observation o on o.indicator = m.other
where o.category = 'total' and not o.simulated and o.status <> 'plan' and o.value is not null
group by all
having count(distinct o.value) > 1 and bool_or(o.indicator = m.indicator)
