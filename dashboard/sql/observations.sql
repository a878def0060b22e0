-- Every figure of one indicator as its source gave it: all vintages, newest period first.
select o.area, a.name, a.name_en, a.level, o.frequency, o.period, o.period_end, o.value, o.status,
       o.simulated, o.source, o.source_url, o.as_of, o.note, o.dataset
from observation o
left join (select code, any_value(name) as name, any_value(name_en) as name_en, any_value(level) as level
           from area where level in ('nation', 'city', 'former_province') group by code) a on a.code = o.area
where o.indicator = $indicator and o.category = 'total' and o.value is not null
order by o.period_end desc, o.period desc, a.level, o.area, o.as_of desc nulls last, o.value
