-- Sample paths of the forecasts that count; `paths` is (count, horizon), row after row.
select p.indicator, p.area, p.category, p.frequency, p.origin, p.count, p.horizon, p.paths
from forecast_path p
join (select indicator, area, category, frequency, max(issue) as issue
      from forecast_series group by all) newest
  using (indicator, area, category, frequency, issue)
where list_contains($indicators, p.indicator) and list_contains($areas, p.area)
