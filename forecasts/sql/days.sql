-- Figures of each day by area, on the boundaries of today, from days that were over. Where cases are counted, a day of
-- the loaded stretch without one is 0; where figures are published by day, what is not there stays missing.
with loaded as (
    select dataset, min(first_day) as first_day, max(last_day) as last_day from current_load group by 1
), placed as (
    select o.dataset, o.period, o.value * w.weight as value,
           case $level when 'commune' then w.new_code
                else (select code from area where level = 'city' and valid_to is null) end as area
    from current_observation o
    join crosswalk w on w.old_code = o.area and w.old_vintage = o.area_vintage
    where o.indicator = $indicator and o.frequency = 'day' and o.category = 'total'
      and o.status is distinct from 'plan' and o.period >= $since and o.period < $today
), summed as (
    select dataset, area, period, sum(value) as value from placed group by all
), days as (
    select l.dataset, unnest(generate_series(greatest(l.first_day, $since),
                                             least(l.last_day, $today - 1), interval 1 day))::date as period
    from loaded l semi join summed using (dataset)
)
select $indicator as indicator, a.area, 'total' as category, d.period,
       case when $counted then coalesce(s.value, 0) else s.value end as value
from (select distinct dataset, area from summed) a
join days d using (dataset)
left join summed s using (dataset, area, period)
order by area, period
