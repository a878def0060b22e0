-- Deliveries: by dataset and frequency, each day on which periods were given for the first time, with the last of them.
with first_given as (
    select o.dataset, o.frequency, o.period, o.period_end, bool_or(o.simulated) as simulated,
           min(coalesce(o.as_of, o.known_from::date)) as came
    from (select * from observation union all by name select * exclude (known_until) from superseded) o
    where o.value is not null and o.status is distinct from 'plan' and o.period_end < $today
      and o.area in (select code from area where valid_to is null)
    group by all)
select dataset, frequency, came, max(period) as period, max(period_end) as period_end, count(*) as periods,
       bool_or(simulated) as simulated
from first_given
group by all
order by all
