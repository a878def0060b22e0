-- What the build says of itself.
select name, value from build_fact
