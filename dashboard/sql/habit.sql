-- How the figures of one indicator moved after they were first said; no row where none was revised.
select revisions, raised, lowered, usual_change, usual_relative_change
from revision_habit
where indicator = $indicator and revisions > 0
