-- The last day whose cases are loaded, and whether the cases are simulated.
select max(last_day) as last_day from current_load where dataset = $cases
