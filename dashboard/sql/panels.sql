-- Panels that were backtested, newest backtest of each.
select b.indicator, i.title, i.title_en, b.level, b.by_category, b.frequency,
       bool_or(b.simulated) as simulated, i.position, max(b.series) as series, max(b.origins) as origins
from backtest b left join indicator i using (indicator)
group by all
order by simulated desc, min(b.frequency) <> 'month', i.position, b.level, b.by_category, b.frequency
