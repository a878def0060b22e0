-- Sums of the first steps of the forecasts that count, along each path, and their quantiles, of one indicator and level.
with newest as (
    select p.area, p.category, p.origin, p.count, p.horizon, p.paths
    from forecast_path p
    join (select indicator, area, category, frequency, max(issue) as issue
          from forecast_series where level = $level group by all) s
      using (indicator, area, category, frequency, issue)
    where p.indicator = $indicator and p.frequency = $frequency and p.horizon >= $steps
), summed as (
    select area, category, origin,
           list_transform(range(count),
                          lambda i: list_sum(list_slice(paths, i * horizon + 1, i * horizon + $steps))) as sums
    from newest
)
select area, category, origin, list_aggregate(sums, 'quantile_cont', 0.1) as lowest,
       list_aggregate(sums, 'quantile_cont', 0.5) as expected, list_aggregate(sums, 'quantile_cont', 0.9) as highest
from summed
order by area, category
