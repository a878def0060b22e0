-- What was known on a day, of what is made again; `observation` and `superseded` hold the figures of several editions.
-- Of figures of which one edition is there, that one up to the day.
create or replace temp table known as
from known_on($day)
union all by name
select n.* from observation_now n semi join made_again using (indicator) anti join edition using (indicator, frequency)
where n.period_end < $day;
