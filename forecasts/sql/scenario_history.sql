-- What each commune received of each field in the last year, beside its registered population.
with newest as (
    select max(period) as last from comparable
    where indicator = $indicator and level = 'commune' and frequency = 'month')
select c.area, c.category, sum(c.value) as received, any_value(a.population) as population,
       any_value(a.kind) as kind
from comparable c
join (select code, population, kind from area where level = 'commune' and valid_to is null) a on a.code = c.area
cross join newest
where c.indicator = $indicator and c.level = 'commune' and c.frequency = 'month'
  and c.period > newest.last - interval 12 month
group by c.area, c.category
having count(c.value) = 12
order by c.area, c.category
