select coalesce(max(issue), 0) as issue from forecast_series
