-- The newest day of which an indicator has a figure.
select max(period) as newest from observation where indicator = $indicator and frequency = 'day' and period < $today
