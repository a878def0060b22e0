-- The first day of which cases are loaded.
select min(received) as first_day from query_table($cases)
