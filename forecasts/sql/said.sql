-- Every forecast with the level of its area.
select f.*, s.level
from forecast f join forecast_series s using (issue, indicator, area, category, frequency)
