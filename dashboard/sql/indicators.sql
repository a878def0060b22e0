-- Indicators with at least one figure that is not simulated, and where they have one.
select i.indicator, i.title, i.title_en, i.unit, i.unit_en, i.aggregate, i.better, i.decimals, i.topic, i.position,
       max(o.period_end) as last_day, bool_or(o.area = 'can_tho') as of_city
from indicator i join observation o using (indicator)
where not o.simulated and o.category = 'total' and o.value is not null
group by all
order by i.position, i.indicator
