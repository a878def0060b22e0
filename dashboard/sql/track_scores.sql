-- Issued forecasts that came true, each against the newest figure.
select issue, issued, indicator, area, level, category, frequency, period, period_end, horizon, model, simulated, observed,
       expected, wis, covered_50, covered_80, covered_95, pit, scale, benchmark, benchmark_wis
from standing_score
order by issue, indicator, area, category, frequency, period
