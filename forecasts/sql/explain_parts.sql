-- What the last two issues of one series are made of.
select issue, period, part, value
from forecast_part
where indicator = $indicator and area = $area and category = $category and frequency = $frequency
  and issue in (select issue from forecast_series
                where indicator = $indicator and area = $area and category = $category and frequency = $frequency
                order by issue desc limit 2)
order by all
