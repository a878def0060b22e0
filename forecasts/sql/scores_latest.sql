-- Issued forecasts against the newest figure each was scored against.
select * from standing_score order by issue, indicator, area, category, frequency, period
