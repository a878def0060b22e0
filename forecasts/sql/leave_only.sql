-- Only the series asked for, so that no others are forecast.
create or replace temp table left_over as
select * from comparable semi join asked using (indicator, area, category, level, frequency);
delete from comparable;
insert into comparable from left_over;
