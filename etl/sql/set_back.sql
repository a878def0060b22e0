-- `observation` as it was known on a day; where one edition is all there is, that one up to the day.
create or replace temp table known as
select k.* from known_on($day) k semi join edition using (indicator, frequency)
union all by name
select n.* from observation_now n anti join edition using (indicator, frequency) where n.period_end < $day;
