-- Issued forecasts of one series whose outcome is known; of several for a period so far ahead, the last.
select horizon, period, issued, expected, observed
from standing_score
where indicator = $indicator and area = $area and category = $category and frequency = $frequency
qualify row_number() over (partition by horizon, period order by issue desc) = 1
order by period desc
