-- In what an indicator is measured.
select coalesce(unit, '') as unit, coalesce(unit_en, unit, '') as unit_en from indicator where indicator = $indicator
