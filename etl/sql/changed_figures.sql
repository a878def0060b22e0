-- Figures that became known or were superseded in the refresh of one moment, with the value before and after.
with moved as (
    select * exclude (value, known_from), null::double as before, value as after
    from observation where known_from = $at
    union all by name
    select * exclude (value, known_from, known_until), value as before, null::double as after
    from superseded where known_until = $at)
select dataset, indicator, area, area_vintage, category, frequency, period, period_end, status, source, as_of,
       max(before) as before, max(after) as after
from moved
group by all
order by all
