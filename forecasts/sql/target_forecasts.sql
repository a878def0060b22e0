-- Quantiles of the forecasts that count, of these indicators and areas.
select indicator, area, category, frequency, issue, origin, period, horizon, quantile_level, value, simulated
from current_forecast
where list_contains($indicators, indicator) and list_contains($areas, area)
order by indicator, area, category, frequency, horizon, quantile_level
