-- Joint paths of the months to come of every commune in one field, as issued last.
select area, count, horizon, paths
from forecast_path
where indicator = 'applications_received' and frequency = 'month' and category = $category and horizon >= 12
  and area in (select code from area where level = 'commune' and valid_to is null)
qualify issue = max(issue) over (partition by area)
order by area
