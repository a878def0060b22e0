select indicator, area, category, input_key, refused
from forecast_series
where level = $level and frequency = $frequency
qualify row_number() over (partition by indicator, area, category order by issue desc) = 1
