-- The last replay, against the newest figures.
select * from replayed_score where against = 'latest'
order by issue, indicator, area, category, frequency, period
