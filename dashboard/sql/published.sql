-- The newest vintage of every published figure of one area, plans beside outcomes.
-- The area is picked first: telling vintages apart over all figures would take as long as reading them all.
with mine as (select * from observation where area = $area and category = 'total')
select o.indicator, i.title, i.title_en, i.unit, i.unit_en, i.aggregate, i.better, i.decimals, i.topic, i.position,
       o.frequency, o.period, o.period_end, o.value, o.status, o.simulated, o.source, o.source_url, o.as_of, o.note
from newest_vintage('mine') o join indicator i using (indicator)
where not o.simulated and o.value is not null
order by i.position, o.indicator, o.period_end desc, o.period desc
