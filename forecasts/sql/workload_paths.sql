-- Sample paths by commune of today and field of the forecast that counts; `paths` is (count, horizon), row after row.
select p.area, p.category, p.origin, p.count, p.horizon, p.paths, p.simulated
from forecast_path p
join (select area, category, max(issue) as issue from forecast_series
      where indicator = $indicator and frequency = 'month' and level = 'commune' group by all) newest
  using (area, category, issue)
where p.indicator = $indicator and p.frequency = 'month' and p.category <> 'total'
order by p.area, p.category
