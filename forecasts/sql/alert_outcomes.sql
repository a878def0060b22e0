-- The newest outcome of each series with the quantiles of the last forecast that was issued before it was known.
with newest as (
    select * from standing_score
    qualify row_number() over (
        partition by indicator, area, category, frequency order by period desc, issue desc) = 1)
select n.indicator, n.area, n.level, n.category, n.frequency, n.period, n.period_end, n.simulated, n.observed,
       list(f.quantile_level order by f.quantile_level) as levels, list(f.value order by f.quantile_level) as quantiles
from newest n
join forecast f using (issue, indicator, area, category, frequency, period)
group by all
order by n.indicator, n.area, n.category, n.frequency
