select * from alert_replay order by rule, simulated
