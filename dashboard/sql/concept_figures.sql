-- Every outcome of every member of the concept an indicator belongs to: the newest vintage of what is published, and
-- what is computed. Newest period first, the city before others.
with members as (
    select indicator from concept where concept = (select concept from concept where indicator = $indicator)
), theirs as (
    select * from observation where category = 'total' and indicator in (select indicator from members)
), figures as (
    select indicator, area, frequency, period, period_end, value, status from newest_vintage('theirs')
    where status <> 'plan' and not simulated
    union all
    select indicator, area, frequency, period, period_end, value, status from comparable
    where derived and category = 'total' and not simulated
)
select f.indicator, f.area, a.name, a.name_en, a.level, f.frequency, f.period, f.period_end, f.value, f.status
from figures f
join members using (indicator)
join (select code, any_value(name) as name, any_value(name_en) as name_en, any_value(level) as level
      from area where level in ('nation', 'city', 'former_province') group by code) a on a.code = f.area
where f.value is not null
order by a.level <> 'city', f.period_end desc, f.period desc, f.area, f.indicator
