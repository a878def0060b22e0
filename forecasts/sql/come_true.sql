-- Issued forecasts whose period is over and whose outcome is another than they were last scored against, if at all:
-- quantiles, outcome, the figure first said, and the benchmark. Only what was issued before the outcome was said.
with wanted as (
    select distinct indicator, area, category, frequency, period from forecast),
truth as (
    select c.indicator, c.area, c.level, c.category, c.frequency, c.period, coalesce(c.period_end, c.period) as period_end,
           c.value as observed, c.status, c.as_of, c.derived, c.dataset, c.simulated
    from comparable c semi join wanted using (indicator, area, category, frequency, period)
    where isfinite(c.value) and c.status is distinct from 'plan' and coalesce(c.period_end, c.period) < $today
    qualify row_number() over (
        partition by c.indicator, c.area, c.category, c.frequency, c.period order by c.as_of desc nulls last) = 1),
said as (
    select o.indicator, o.area, o.category, o.frequency, o.period, o.dataset, o.value, o.status,
           coalesce(o.as_of, o.known_from::date) as said_on
    from (select * from observation union all by name select * exclude (known_until) from superseded) o
    semi join truth t
      on t.indicator = o.indicator and t.area = o.area and t.category = o.category and t.frequency = o.frequency
     and t.period = o.period and t.dataset = o.dataset and not t.derived
    where o.value is not null and o.status is distinct from 'plan'
      and coalesce(o.as_of, o.known_from::date) > o.period_end
    qualify row_number() over (
        partition by o.indicator, o.area, o.category, o.frequency, o.period, o.dataset
        order by said_on, o.known_from) = 1),
known as (
    select t.*, s.value as first_observed, s.status as first_status, s.said_on as first_said_on,
           least(coalesce(s.said_on, t.as_of, $today), coalesce(t.as_of, s.said_on, $today)) as out_since
    from truth t left join said s using (indicator, area, category, frequency, period, dataset)),
before as (
    select issue, indicator, area, category, frequency, period, observed as observed_before from standing_score)
select f.issue, f.issued, f.origin, f.indicator, f.area, k.level, f.category, f.frequency, f.period, k.period_end,
       f.horizon, f.model, f.simulated or k.simulated as simulated, k.observed, k.status,
       coalesce(k.as_of, k.first_said_on, $today) as said_on, k.first_observed, k.first_status, k.first_said_on,
       b.observed_before is null as new, m.season, m.offsets, m.lowest, m.scale,
       list(f.quantile_level order by f.quantile_level) as levels, list(f.value order by f.quantile_level) as quantiles
from forecast f
join known k using (indicator, area, category, frequency, period)
left join before b using (issue, indicator, area, category, frequency, period)
left join forecast_benchmark m using (issue, indicator, area, category, frequency)
where f.issued < k.out_since
  and (b.observed_before is null
       or abs(k.observed - b.observed_before) > 1e-9 * greatest(abs(k.observed), abs(b.observed_before)))
group by all
having bool_and(isfinite(f.value))
order by f.issue, f.indicator, f.area, f.category, f.frequency, f.period
