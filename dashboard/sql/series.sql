-- History of one indicator on the boundaries of today: the country, the city, the former provinces.
select c.area, a.name, a.name_en, c.level, c.frequency, c.period, c.period_end, c.value, c.lower, c.upper,
       c.status, c.simulated, c.estimated_share, c.derived
from comparable c
left join (select code, any_value(name) as name, any_value(name_en) as name_en
           from area where level in ('nation', 'city', 'former_province') group by code) a on a.code = c.area
where c.indicator = $indicator and c.category = 'total' and c.value is not null
  and c.level in ('nation', 'city', 'former_province') and c.frequency <> 'span'
order by c.level, c.area, c.frequency, c.period
