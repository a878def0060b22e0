-- The last full year before the merger in each place a commune was made of, as reported there and then (simulated), the
-- part carried over by its weight, old districts included, and the year as it is now on the boundaries of today.
with merger as (select max(valid_to) as last_day from area where level = 'commune' and valid_to is not null),
parts as (
    select a.code, a.area_vintage, a.name, a.name_en, a.kind, w.weight, w.estimated
    from crosswalk w join area a on a.code = w.old_code and a.area_vintage = w.old_vintage, merger m
    where w.new_code = $area and a.valid_to = m.last_day
),
received as (
    select o.*
    from observation o, merger m
    where o.indicator = 'applications_received' and o.category = 'total' and year(o.period) = year(m.last_day) - 1
      and o.area in (select code from parts)
      and o.frequency = (select min(frequency) from observation
                         where indicator = 'applications_received' and frequency in ('day', 'month'))
),
told as (select area, sum(value)::double as value from newest_vintage('received') group by area),
now as (
    select sum(c.value)::double as value
    from comparable c, merger m
    where c.indicator = 'applications_received' and c.category = 'total' and c.frequency = 'month'
      and c.area = $area and year(c.period) = year(m.last_day) - 1
)
select p.name, p.name_en, p.kind, p.weight, p.estimated, t.value, p.weight * t.value as carried,
       (select value from now) as now, year(m.last_day) - 1 as year
from parts p join told t on t.area = p.code, merger m
order by p.weight * t.value desc, p.name
