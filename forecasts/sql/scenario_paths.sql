-- Monthly paths of the forecasts that count: the city, its fields, communes and their fields.
select s.level, p.area, p.category, p.origin, p.count, p.horizon, p.paths, p.simulated, p.issue
from forecast_path p
join (select indicator, area, category, frequency, any_value(level) as level, max(issue) as issue
      from forecast_series group by all) s
  using (indicator, area, category, frequency, issue)
where p.indicator = $indicator and p.frequency = 'month' and s.level in ('city', 'commune')
order by s.level, p.area, p.category
