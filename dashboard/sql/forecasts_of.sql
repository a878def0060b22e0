-- What became of the forecasts of one indicator above the communes: the model shown, or why there is none.
select area, category, frequency, level, points, origin, model, benchmark, beats, skill, refused, help, candidates
from forecast_series
where indicator = $indicator and category = 'total' and level in ('nation', 'city', 'former_province')
qualify issue = max(issue) over (partition by area, frequency)
