-- Issued forecasts against the figure first said.
select * from first_score order by issue, indicator, area, category, frequency, period
