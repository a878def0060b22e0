-- Joint paths of the forecasts that count, of one indicator and level: `count` paths of `horizon` periods, one after the other.
select p.area, p.category, p.origin, p.count, p.horizon, p.paths
from forecast_path p
join (select indicator, area, category, frequency, max(issue) as issue
      from forecast_series where level = $level group by all) s
  using (indicator, area, category, frequency, issue)
where p.indicator = $indicator and p.frequency = $frequency and p.horizon >= $steps
order by p.area, p.category
