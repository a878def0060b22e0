-- What is not made again: the series of now up to the day, those of cases apart.
insert into comparable
select * from comparable_now
where period_end < $day and dataset not in (from case_dataset) and indicator not in (from made_again);
