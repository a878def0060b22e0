-- The newest vintage of every published figure of one area, plans beside outcomes.
select o.indicator, i.title, i.title_en, i.unit, i.unit_en, i.aggregate, i.better, i.decimals, i.topic, i.position,
       o.frequency, o.period, o.period_end, o.value, o.status, o.simulated, o.source, o.source_url, o.as_of, o.note
from current_observation o join indicator i using (indicator)
where o.area = $area and o.category = 'total' and not o.simulated and o.value is not null
order by i.position, o.indicator, o.period_end desc, o.period desc
