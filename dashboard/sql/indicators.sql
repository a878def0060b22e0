-- Indicators with at least one figure that is not simulated, published or computed, and where they have one.
with figures as (
    select indicator, area, period_end from observation
    where not simulated and category = 'total' and value is not null
    union all
    select c.indicator, c.area, c.period_end from comparable c join indicator i using (indicator)
    where i.computed is not null and not c.simulated and c.category = 'total'
      and c.level in ('nation', 'city', 'former_province')
)
select i.indicator, i.title, i.title_en, i.unit, i.unit_en, i.aggregate, i.better, i.decimals, i.topic, i.position,
       i.computed, i.numerator, i.denominator, max(f.period_end) as last_day, bool_or(f.area = 'can_tho') as of_city
from indicator i join figures f using (indicator)
group by all
order by i.position, i.indicator
