-- Months received by every series of one level, and the median expected after them.
with issue as (
    select * from current_forecast
    where indicator = 'applications_received' and frequency = 'month' and quantile_level in (0.1, 0.5, 0.9)
)
select area, category, period, value, null::double as lower, null::double as upper, false as ahead
from comparable
where indicator = 'applications_received' and frequency = 'month' and level = $level and value is not null
  and ($category is null or category = $category)
  and period_end < (select value::date from build_fact where name = 'today')
union all
select i.area, i.category, i.period,
       max(value) filter (quantile_level = 0.5), max(value) filter (quantile_level = 0.1),
       max(value) filter (quantile_level = 0.9), true
from issue i
where ($category is null or category = $category)
  and exists (select 1 from comparable c where c.area = i.area and c.level = $level)
group by i.area, i.category, i.period
order by area, category, period
