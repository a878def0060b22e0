-- Issued forecasts that came true, above the communes: of each period the last issue before it ended, with its bands.
with counted as (
    select * from standing_score
    where issued <= period_end and category = 'total' and level in ('nation', 'city', 'former_province')
    qualify issue = max(issue) over (partition by indicator, area, category, frequency, period)
)
select s.indicator, s.area, s.level, s.frequency, s.period, s.period_end, s.observed, s.simulated,
       i.title, i.title_en, i.unit, i.unit_en, i.decimals,
       max(f.value) filter (abs(f.quantile_level - 0.025) < 1e-9) as low_95,
       max(f.value) filter (abs(f.quantile_level - 0.1) < 1e-9) as low_80,
       max(f.value) filter (abs(f.quantile_level - 0.9) < 1e-9) as high_80,
       max(f.value) filter (abs(f.quantile_level - 0.975) < 1e-9) as high_95
from counted s
join indicator i using (indicator)
join forecast f using (issue, indicator, area, category, frequency, period)
group by all
order by s.indicator, s.area, s.frequency, s.period
