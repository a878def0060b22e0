-- The twelve months to come of every series of one level, and the twelve before: sums of months.
-- Adding up quantiles month by month assumes that all months err the same way: the widest such range.
with issue as (
    select * from current_forecast
    where indicator = 'applications_received' and frequency = 'month' and horizon <= 12
),
ahead as (
    select area, category, max(origin) as origin, count(distinct period) as months,
           sum(value) filter (abs(quantile_level - 0.5) < 1e-9)::double as expected,
           sum(value) filter (abs(quantile_level - 0.1) < 1e-9)::double as lowest,
           sum(value) filter (abs(quantile_level - 0.9) < 1e-9)::double as highest
    from issue group by area, category
),
past as (
    select c.area, c.category, a.origin,
           sum(c.value) filter (c.period > a.origin - interval 12 month)::double as received,
           sum(c.value) filter (c.period <= a.origin - interval 12 month)::double as received_before,
           count(*) filter (c.period > a.origin - interval 12 month) as months_received
    from comparable c join ahead a using (area, category)
    where c.indicator = 'applications_received' and c.frequency = 'month' and c.level = $level
      and c.period <= a.origin and c.period > a.origin - interval 24 month
    group by c.area, c.category, a.origin
)
select p.area, p.category, p.origin, p.received, p.received_before, a.expected, a.lowest, a.highest
from past p join ahead a using (area, category)
where a.months = 12 and p.months_received = 12
