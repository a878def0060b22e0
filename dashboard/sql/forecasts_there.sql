-- Whether any forecast is in the build.
select exists (select 1 from forecast) as there
