-- The series of the newest issue that no benchmark stands beside yet.
select distinct issue, issued, indicator, area, category, frequency, origin
from forecast
where issue = (select max(issue) from forecast)
  and issue > (select coalesce(max(issue), 0) from forecast_benchmark)
order by frequency, origin, indicator, area, category
