-- The newest backtest of each panel.
select model, indicator, level, by_category, frequency, horizon, mase, coverage_80, simulated
from backtest
qualify issue = max(issue) over (partition by indicator, level, by_category, frequency)
order by all
