-- The twelve months up to the newest of every series of one level, and the twelve before: sums of months.
with months as (
    select area, category, period, value, max(period) over (partition by area, category) as until
    from comparable
    where indicator = 'applications_received' and frequency = 'month' and level = $level
)
select area, category, until as origin,
       sum(value) filter (period > until - interval 12 month)::double as received,
       sum(value) filter (period <= until - interval 12 month)::double as received_before
from months
where period > until - interval 24 month
group by area, category, until
having count(*) filter (period > until - interval 12 month) = 12
