-- The last replay, against the newest figures.
select issue, issued, indicator, area, level, category, frequency, period, period_end, horizon, model, simulated, observed,
       expected, wis, covered_50, covered_80, covered_95, pit, scale, benchmark, benchmark_wis, known
from replayed_score
where against = 'latest'
order by issue, indicator, area, category, frequency, period
