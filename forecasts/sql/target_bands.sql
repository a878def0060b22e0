-- What was said of each period of these indicators, issue by issue: levels and quantiles, rising. $said is forecast or replayed.
select issue, indicator, area, category, frequency, period,
       list(quantile_level order by quantile_level) as levels, list(value order by quantile_level) as quantiles
from query_table($said)
where list_contains($indicators, indicator)
group by all
order by all
