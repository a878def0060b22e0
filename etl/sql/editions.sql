-- What is known now, set aside, and the figures of which several editions were kept: at least three, and one for
-- every other period. Counts of cases are made again each time, so that they have one edition: that of now.
create temp table observation_now as from observation where dataset not in (from case_dataset);
create temp table superseded_now as from superseded where dataset not in (from case_dataset);
create temp table comparable_now as from comparable where level <> 'commune';
create temp table cases_now as from comparable_now where dataset in (from case_dataset);
create temp table edition as
select indicator, frequency
from (select indicator, frequency, period, coalesce(as_of, known_from::date) as said_on, status from observation_now
      union all
      select indicator, frequency, period, coalesce(as_of, known_from::date), status from superseded_now)
where status is distinct from 'plan'
group by all
having count(distinct said_on) >= greatest(3, count(distinct period) / 2);
