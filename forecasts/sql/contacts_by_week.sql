-- Petitions and calls by whole week, version of the classifier and topic, in all areas. A day on which nobody called for
-- a topic need not be in the file: a week is whole if each of its days has a row of the version, of whatever topic.
with counted as (
    select date_trunc('week', period)::date as week, version, category as topic, period, number
    from query_table($contacts)
), whole as (
    select week, version from counted group by all having count(distinct period) = 7
)
select week, version, topic, sum(number) as number
from counted semi join whole using (week, version)
group by all
order by week, version, topic
