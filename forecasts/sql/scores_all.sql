-- Every score there is.
select * from scored
