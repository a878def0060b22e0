-- For how many series each model is shown now.
select model, indicator, simulated, count(*) as series
from (select * from forecast_series
      qualify issue = max(issue) over (partition by indicator, area, category, frequency))
where model is not null
group by all
order by all
