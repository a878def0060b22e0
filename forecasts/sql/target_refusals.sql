-- Whether each series has a forecast, and why not.
select indicator, area, category, frequency, points, origin, refused
from forecast_series
where list_contains($indicators, indicator) and list_contains($areas, area)
qualify row_number() over (partition by indicator, area, category, frequency order by issue desc) = 1
