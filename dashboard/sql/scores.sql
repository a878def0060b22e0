-- Scores of one panel by model and months ahead.
select model, horizon, series, origins, mase, wql, coverage_50, coverage_80, coverage_95, bias, simulated
from backtest
where indicator = $indicator and level = $level and by_category = $by_category and frequency = $frequency
qualify issue = max(issue) over ()
order by model, horizon
