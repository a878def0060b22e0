-- What the engines of the last two issues of one series would have said from earlier origins.
select issue, engine, dropped, horizon, said
from forecast_earlier
where indicator = $indicator and area = $area and category = $category and frequency = $frequency
order by issue desc limit 2
