-- Every alert that ever rang.
select * exclude (run, alert) from alert order by run, alert
