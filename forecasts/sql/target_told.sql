-- What was told last of each baseline of a target before its period ended.
select target, plan, asked, chance, way, simulated, told_on
from target_told
where told_on <= period_end
qualify row_number() over (partition by target, plan, asked order by run desc) = 1
order by target, plan, asked
