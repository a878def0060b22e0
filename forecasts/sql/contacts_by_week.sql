-- Petitions and calls by whole week, version of the classifier and topic, in all areas.
select date_trunc('week', period)::date as week, version, category as topic, sum(number) as number
from query_table($contacts)
group by all
having count(distinct period) = 7
order by week, version, topic
