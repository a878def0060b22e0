-- Every table of the warehouse. A comment on each column; the data page and the published dictionary read them.
-- The clean tables (`data_<dataset>`) are made from the catalog; those of cases never leave the warehouse.

create table if not exists build_fact (
    name  varchar primary key,
    value varchar
);
comment on table build_fact is 'Facts about this build: when, from which catalog, by which code';

create table if not exists load (
    load       bigint,
    dataset    varchar,
    file       varchar,
    checksum   varchar,
    size       bigint,
    loaded_at  timestamp,
    records    bigint,
    accepted   bigint,
    rejected   bigint,
    unreadable bigint,
    first_day  date,
    last_day   date,
    seconds    double,
    load_key   varchar,
    gone_at    timestamp
);
comment on table load is 'The ledger: one row per file of each load, what came in and what became of it; rows are added, never taken out';
comment on column load.load is 'Number of the load, rising';
comment on column load.dataset is 'Name of the dataset in the catalog';
comment on column load.file is 'Path of the file, relative to the catalog or the state folder';
comment on column load.checksum is 'BLAKE2b of the bytes of the file';
comment on column load.size is 'Bytes';
comment on column load.loaded_at is 'When it was loaded, UTC';
comment on column load.records is 'Records counted in the file on their own, before any was read into a column';
comment on column load.accepted is 'Records that passed every rule';
comment on column load.rejected is 'Records that broke a rule; kept in `rejected` with their reasons';
comment on column load.unreadable is 'Lines that are not a record of the declared shape';
comment on column load.first_day is 'First day the accepted records speak of';
comment on column load.last_day is 'Last day the accepted records speak of';
comment on column load.seconds is 'Wall-clock seconds';
comment on column load.load_key is 'Hash of file, catalog entry and code: unchanged means nothing to load';
comment on column load.gone_at is 'When a newer load of the file took its place, or the file was taken away, UTC; null while it counts';

create or replace view current_load as select * exclude (gone_at) from load where gone_at is null;
comment on view current_load is 'The loads whose rows are in the warehouse now';

create table if not exists step (
    step    varchar,
    dataset varchar,
    key     varchar,
    rows    bigint,
    seconds double,
    made_at timestamp
);
comment on table step is 'What was derived, and from what: a step whose key is unchanged is not done again';
comment on column step.step is 'observe (a dataset), define (how its figures follow from its files: unchanged means only touched months are counted), compare (all of them)';
comment on column step.dataset is 'Dataset; null where the step takes in all';
comment on column step.key is 'Hash of catalog entry, code and the keys of the inputs';
comment on column step.rows is 'Rows it made';
comment on column step.seconds is 'Wall-clock seconds it took when it was last done';
comment on column step.made_at is 'When it was last done, UTC';

create or replace view lineage as
select 'data_' || dataset as output, file as input, load_key as key from current_load
union all
select 'observation of ' || dataset, 'data_' || dataset, key from step where step = 'observe'
union all
select 'comparable', 'observation of ' || o.dataset, c.key
from step o, step c where o.step = 'observe' and c.step = 'compare';
comment on view lineage is 'What was made from what; the inputs of each forecast are in forecast_series.input_key';

create table if not exists audit (
    done_at timestamp,
    who     varchar,
    what    varchar,
    detail  varchar
);
comment on table audit is 'Who did what to the warehouse; rows are added and never changed';
comment on column audit.done_at is 'When, UTC';
comment on column audit.who is 'Account of the operating system';
comment on column audit.what is 'The command';
comment on column audit.detail is 'The build it began from, and what it changed';

create table if not exists rejected (
    load    bigint,
    dataset varchar,
    file    varchar,
    sheet   varchar,
    record  bigint,
    field   varchar,
    rule    varchar,
    value   varchar
);
comment on table rejected is 'One row per broken rule; a record may break several';
comment on column rejected.record is 'Number of the record in the file, or of the row in the sheet, from 1';
comment on column rejected.field is 'Field of the catalog; null where the whole line cannot be read';
comment on column rejected.rule is 'Name of the rule it broke';
comment on column rejected.value is 'The text as it stood; null for sensitive fields and identifiers of cases';

create table if not exists unknown_area (
    dataset  varchar,
    spelling varchar,
    problem  varchar
);
comment on table unknown_area is 'Names of places that could not be read, and why; `explained_rejected` shows them';
comment on column unknown_area.spelling is 'The name as it stood';
comment on column unknown_area.problem is 'What is wrong, and when or how the name would have been known';

create or replace view explained_rejected as
select r.*, u.problem
from rejected r
left join (select dataset, spelling, string_agg(distinct problem, ' | ' order by problem) as problem
           from unknown_area group by all) u
  on r.rule = 'area_known' and u.dataset = r.dataset and u.spelling = r.value;
comment on view explained_rejected is 'Broken rules, with what is known about why: for names of places, when they would have been right';

create table if not exists correction (
    load       bigint,
    dataset    varchar,
    file       varchar,
    sheet      varchar,
    record     bigint,
    position   integer,
    field      varchar,
    found      varchar,
    corrected  varchar,
    reason     varchar,
    decided_by varchar,
    decided_on date
);
comment on table correction is 'One row per cell of a source that was corrected on the way in, as the catalog declares';
comment on column correction.record is 'Number of the record in the file, or of the row in the sheet, from 1';
comment on column correction.position is 'Number of the correction in the catalog entry, from 0';
comment on column correction.found is 'The text as it stood in the file';
comment on column correction.corrected is 'The text that was read instead';
comment on column correction.reason is 'Why it is wrong, and where the right figure stands';
comment on column correction.decided_by is 'Who decided';

create table if not exists stated_total (
    load     bigint,
    dataset  varchar,
    file     varchar,
    sheet    varchar,
    record   bigint,
    label    varchar,
    header   varchar,
    field    varchar,
    stated   double,
    computed double,
    agrees   boolean
);
comment on table stated_total is 'One row per figure of a total or group row: as the file states it, and as its records add up';
comment on column stated_total.record is 'Row of the sheet or file in which it is stated, from 1';
comment on column stated_total.label is 'What the row is called, or the group';
comment on column stated_total.header is 'What the column is called in the file';
comment on column stated_total.field is 'Field of the catalog; both figures are in its unit';
comment on column stated_total.stated is 'As stated';
comment on column stated_total.computed is 'Sum of the records; null where none has a figure';
comment on column stated_total.agrees is 'Whether the rounding of the figures explains the difference';

create table if not exists area (
    code           varchar,
    area_vintage   date,
    valid_to       date,
    level          varchar,
    name           varchar,
    name_en        varchar,
    kind           varchar,
    parent         varchar,
    population     bigint,
    area_km2       double,
    lat            double,
    lon            double,
    tile_row       integer,
    tile_col       integer,
    place          varchar
);
comment on table area is 'Every area with its validity; the key is (code, area_vintage), because codes are recycled';
comment on column area.area_vintage is 'First day on which the code means this area';
comment on column area.valid_to is 'Last day; null while it lasts';
comment on column area.level is 'nation, city, former_province, district or commune';
comment on column area.place is 'What it lies in below the city, on its first day; null for what lies in nothing else';

create table if not exists boundary_step (
    old_code     varchar,
    old_vintage  date,
    new_code     varchar,
    new_vintage  date,
    weight       double,
    weight_lower double,
    weight_upper double,
    basis        varchar,
    source       varchar,
    note         varchar
);
comment on table boundary_step is 'What became of each area that ended, step by step; `crosswalk` has what follows from all of them';
comment on column boundary_step.new_vintage is 'The day of the step: the old area ended the day before';
comment on column boundary_step.weight is 'Share of the old area''s people, 0 to 1';
comment on column boundary_step.weight_lower is 'Lower bound of the share';
comment on column boundary_step.weight_upper is 'Upper bound of the share';
comment on column boundary_step.basis is 'whole, official (the people were counted) or estimate';
comment on column boundary_step.source is 'Where the share is from';

create table if not exists crosswalk (
    old_code     varchar,
    old_vintage  date,
    new_code     varchar,
    weight       double,
    weight_lower double,
    weight_upper double,
    estimated    boolean
);
comment on table crosswalk is 'Share of each commune and former district that each commune of today took over, over all steps';

create table if not exists indicator (
    indicator   varchar primary key,
    dataset     varchar,
    title       varchar,
    title_en    varchar,
    unit        varchar,
    unit_en     varchar,
    aggregate   varchar,
    better      varchar,
    topic       varchar,
    decimals    integer,
    numerator   varchar,
    denominator varchar,
    scale       double,
    owner       varchar,
    position    integer,
    computed    varchar
);
comment on table indicator is 'What is measured, in what unit, and how it adds up';
comment on column indicator.dataset is 'The dataset that describes it';
comment on column indicator.aggregate is 'Over time: sum (a flow), last (a stock), rate (never added up)';
comment on column indicator.better is 'up, down or none: the direction that is good';
comment on column indicator.numerator is 'Where it is computed: indicator above the line, or the one that grows';
comment on column indicator.denominator is 'Where it is computed: indicator below the line; null for a growth';
comment on column indicator.scale is 'What the quotient is multiplied by';
comment on column indicator.computed is 'How it follows from others: ratio, share, growth, per_head; null where only published';
comment on column indicator.position is 'Order in the catalog';

create table if not exists concept (
    concept        varchar,
    title          varchar,
    title_en       varchar,
    indicator      varchar,
    denominator    varchar,
    denominator_en varchar,
    owner          varchar,
    owner_en       varchar,
    quote          varchar,
    quote_en       varchar,
    preferred      boolean,
    position       integer
);
comment on table concept is 'Rival figures of one idea: one row per indicator that measures it';
comment on column concept.concept is 'Name of the concept in the catalog';
comment on column concept.title is 'What all its members try to say';
comment on column concept.indicator is 'One member; an indicator belongs to one concept at most';
comment on column concept.denominator is 'What this member is divided by, or what it counts: why it differs';
comment on column concept.owner is 'Who sets or publishes this member';
comment on column concept.quote is 'Where to quote this member';
comment on column concept.preferred is 'The member to quote unless there is a reason for another';
comment on column concept.position is 'Order in the concept';

create table if not exists category (
    dataset  varchar,
    category varchar,
    title    varchar,
    title_en varchar,
    position integer
);
comment on table category is 'Names of the categories (for example fields of procedures) by dataset';

create table if not exists observation (
    indicator       varchar,
    area            varchar,
    area_vintage    date,
    category        varchar,
    frequency       varchar,
    period          date,
    period_end      date,
    value           double,
    lower           double,
    upper           double,
    status          varchar,
    simulated       boolean,
    estimated_share double,
    dataset         varchar,
    source          varchar,
    source_url      varchar,
    note            varchar,
    as_of           date,
    known_from      timestamp
);
comment on table observation is 'Every figure as its source gives it now: all published vintages, on the boundaries of its day';
comment on column observation.indicator is 'What is measured; see indicator';
comment on column observation.area is 'Area code; with area_vintage the key of area';
comment on column observation.category is 'Breakdown, or total';
comment on column observation.frequency is 'day, week, month, quarter, year; span for a figure over several periods, such as cumulative ones';
comment on column observation.period is 'First day of the period';
comment on column observation.period_end is 'Last day of the period';
comment on column observation.value is 'The figure, in the unit of the indicator; null is missing and not zero';
comment on column observation.lower is 'Lower end where the figure is an estimate with a stated range';
comment on column observation.upper is 'Upper end';
comment on column observation.status is 'estimate (ước), preliminary (sơ bộ), final (chính thức) or plan (kế hoạch)';
comment on column observation.simulated is 'Made by a simulation, not by a department';
comment on column observation.estimated_share is 'Share of the value that rests on estimated weights, 0 to 1';
comment on column observation.source is 'Title of the publication';
comment on column observation.as_of is 'Publication date of the source: the vintage';

comment on column observation.known_from is 'When it was first loaded, UTC';

create table if not exists superseded as
select *, null::timestamp as known_until from observation limit 0;
comment on table superseded is 'Figures that a source gave once and no longer gives: the columns of observation, and until when it was known';
comment on column superseded.known_until is 'When a corrected file took its place, UTC';

-- Most figures have one vintage only: their keys are told from the others by a hash, and the costly order by
-- vintage is made for the others alone. Two keys with one hash only add rows to the costly part.
create or replace macro newest_vintage(figures) as table
with keyed as (
    select *, hash(indicator, area, area_vintage, category, frequency, period, period_end, status = 'plan') as key_hash
    from query_table(figures)),
several as (select key_hash from keyed group by key_hash having count(*) > 1)
select * exclude (key_hash) from keyed where key_hash not in (from several)
union all
select * exclude (key_hash) from (select * from keyed where key_hash in (from several))
qualify row_number() over (
    partition by indicator, area, area_vintage, category, frequency, period, period_end, status = 'plan'
    order by as_of desc nulls last,
             case status when 'final' then 0 when 'preliminary' then 1 when 'estimate' then 2 else 3 end,
             source
) = 1;
create or replace view current_observation as
select * from newest_vintage('observation');
comment on view current_observation is 'The newest vintage of each figure; plans beside outcomes';

-- A figure is known from its publication; where that day is not given, from its first load.
create or replace macro known_on(day) as table
select * exclude (known_until) from (
    select *, null::timestamp as known_until from observation
    union all by name
    from superseded)
where coalesce(as_of, known_from::date, date '1900-01-01') <= day and (known_until is null or known_until::date > day)
qualify row_number() over (
    partition by indicator, area, area_vintage, category, frequency, period, period_end, status = 'plan'
    order by as_of desc nulls last, known_from desc,
             case status when 'final' then 0 when 'preliminary' then 1 when 'estimate' then 2 else 3 end,
             source
) = 1;

-- One figure after another for the same thing: a later publication of the same source or of a firmer status, or a
-- corrected file. What was said before its period was over is an estimate, whatever it was called. Figures of other
-- sources that are as firm are rivals, not revisions.
create or replace view revision as
with vintage as (
    select *, case when as_of <= period_end then 0 when status = 'estimate' then 1
                   when status = 'preliminary' then 2 else 3 end as firmness
    from (select *, null::timestamp as known_until from observation union all by name from superseded)
    where status <> 'plan' and not simulated and value is not null),
following as (
    select a.*, b.value as revised, b.status as revised_status, b.source as revised_source,
           coalesce(b.as_of, b.known_from::date) as revised_on, b.known_from as revised_known
    from vintage a join vintage b
      on b.indicator = a.indicator and b.area = a.area and b.area_vintage = a.area_vintage
     and b.category = a.category and b.frequency = a.frequency and b.period = a.period and b.period_end = a.period_end
     and (a.known_until is not null and b.known_from >= a.known_until and b.dataset = a.dataset
          or a.known_until is null and b.known_until is null and b.as_of > a.as_of
          and (b.source = a.source and b.firmness >= a.firmness or b.firmness > a.firmness)))
select indicator, area, area_vintage, category, frequency, period, period_end, dataset, status, value, source,
       coalesce(as_of, known_from::date) as said_on, revised, revised_status, revised_source, revised_on,
       revised - value as change, (revised - value) / nullif(abs(value), 0) as relative_change
from following
qualify row_number() over (
    partition by indicator, area, area_vintage, category, frequency, period, period_end, dataset, status, value, source,
                 as_of, known_from
    order by revised_on, revised_known, revised_source) = 1;
comment on view revision is 'Each figure that was followed by another for the same thing, with the next one';

create or replace view revision_habit as
select indicator, count(*) as revisions, count(*) filter (change > 0) as raised, count(*) filter (change < 0) as lowered,
       median(abs(change)) as usual_change, median(abs(relative_change)) as usual_relative_change
from revision
group by indicator;
comment on view revision_habit is 'How the figures of an indicator usually move after they are first said';

create table if not exists comparable (
    indicator       varchar,
    area            varchar,
    level           varchar,
    category        varchar,
    frequency       varchar,
    period          date,
    period_end      date,
    value           double,
    lower           double,
    upper           double,
    status          varchar,
    simulated       boolean,
    estimated_share double,
    derived         boolean,
    dataset         varchar,
    as_of           date
);
comment on table comparable is 'Series on the boundaries of today: history carried over, areas and categories added up, rates recomputed';
comment on column comparable.area is 'Code of an area that exists today, or of a former province';
comment on column comparable.derived is 'Computed here from other figures rather than published as it is';

create or replace view as_it_was as
select o.indicator, o.area, o.area_vintage, a.level, trim(upper(a.kind[1]) || a.kind[2:] || ' ' || a.name) as area_name,
       a.place, a.valid_to as area_until, o.category, o.frequency, o.period, o.period_end, o.value, o.lower, o.upper,
       o.status, o.simulated, o.estimated_share, o.dataset, o.source, o.as_of
from current_observation o
left join area a on a.code = o.area and a.area_vintage = o.area_vintage;
comment on view as_it_was is 'Figures on the boundaries and under the names of their own day; nothing is carried over or added up';
comment on column as_it_was.area_vintage is 'First day on which the code means this area';
comment on column as_it_was.area_name is 'Kind and name the area had';
comment on column as_it_was.place is 'What it lay in: district and former province';
comment on column as_it_was.area_until is 'Last day of the area; null while it lasts';

create or replace view as_it_is_now as
select c.indicator, c.area, a.area_vintage, c.level, trim(upper(a.kind[1]) || a.kind[2:] || ' ' || a.name) as area_name,
       a.place, c.category, c.frequency, c.period, c.period_end, c.value, c.lower, c.upper, c.status, c.simulated,
       c.estimated_share, c.derived, c.dataset, c.as_of
from comparable c
left join (select * from area
           qualify row_number() over (partition by code, level order by area_vintage desc) = 1) a
  on a.code = c.area and a.level = c.level;
comment on view as_it_is_now is 'Figures on the boundaries and under the names of today: history carried over, with its estimated share and range';
comment on column as_it_is_now.area_name is 'Kind and name the area has today; of a former province, the last it had';
comment on column as_it_is_now.lower is 'Lower end, where shares of split areas are estimated';
comment on column as_it_is_now.upper is 'Upper end';
comment on column as_it_is_now.derived is 'Computed from other figures rather than published as it is';

create table if not exists forecast (
    issue          bigint,
    issued         date,
    origin         date,
    indicator      varchar,
    area           varchar,
    category       varchar,
    frequency      varchar,
    period         date,
    horizon        integer,
    quantile_level double,
    value          double,
    model          varchar,
    data_as_of     date,
    simulated      boolean
);
comment on table forecast is 'Forecasts as issued, quantile by quantile; rows are added and never changed';
comment on column forecast.issue is 'Number of the run that made it, rising; the newest of a series counts';
comment on column forecast.issued is 'Day the forecast was made';
comment on column forecast.origin is 'First day of the last period known to it';
comment on column forecast.period is 'First day of the period it speaks of';
comment on column forecast.horizon is 'Periods from origin to period';
comment on column forecast.quantile_level is '0 to 1';
comment on column forecast.data_as_of is 'Vintage of the newest figure it used';

create table if not exists forecast_path (
    issue     bigint,
    issued    date,
    origin    date,
    indicator varchar,
    area      varchar,
    category  varchar,
    frequency varchar,
    count     integer,
    horizon   integer,
    paths     double[],
    simulated boolean
);
comment on table forecast_path is 'Joint paths of each forecast as issued, for sums over periods and chances; rows are added and never changed';
comment on column forecast_path.count is 'Number of paths';
comment on column forecast_path.horizon is 'Periods of each path, from the first after the origin';
comment on column forecast_path.paths is 'count times horizon values, path by path; quantiles over the paths are those of forecast';

create table if not exists forecast_series (
    issue        bigint,
    issued       date,
    indicator    varchar,
    area         varchar,
    category     varchar,
    frequency    varchar,
    level        varchar,
    points       integer,
    origin       date,
    model        varchar,
    benchmark    varchar,
    beats        boolean,
    skill        double,
    refused      varchar,
    help         varchar,
    candidates   varchar,
    simulated    boolean,
    input_key    varchar
);
comment on table forecast_series is 'One row per series the catalog asks to forecast: what was shown and why, or why not';
comment on column forecast_series.model is 'Model shown; null where refused';
comment on column forecast_series.benchmark is 'naive for annual series, seasonal_naive otherwise';
comment on column forecast_series.beats is 'The model shown beat the benchmark on its own backtest; false means the benchmark is shown';
comment on column forecast_series.skill is '1 - score of the model / score of the benchmark, on the backtest';
comment on column forecast_series.refused is 'Code of the reason for which there is no forecast';
comment on column forecast_series.help is 'Code of what would make a forecast possible';
comment on column forecast_series.issue is 'Number of the run that made it, rising; the newest of a series counts';
comment on column forecast_series.input_key is 'Hash of values, question and engine: unchanged means nothing to issue';
comment on column forecast_series.candidates is 'Models that competed, separated by blanks';

create table if not exists backtest (
    issue       bigint,
    issued      date,
    indicator   varchar,
    level       varchar,
    by_category boolean,
    frequency   varchar,
    model       varchar,
    horizon     integer,
    series      integer,
    origins     integer,
    mase        double,
    wql         double,
    coverage_50 double,
    coverage_80 double,
    coverage_95 double,
    bias        double,
    simulated   boolean
);
comment on table backtest is 'Rolling-origin scores by model and horizon, mean over the series of a panel';
comment on column backtest.issue is 'Number of the run that made it, rising; the newest of a panel counts';
comment on column backtest.mase is 'Mean absolute error over that of the one-step (seasonal) naive in sample; lower is better';
comment on column backtest.wql is 'Mean quantile loss over the mean absolute value; lower is better';
comment on column backtest.coverage_80 is 'Share of outcomes inside the 80 % interval; 0.8 is right';

create or replace view current_forecast as
select f.* from forecast f
join (select indicator, area, category, frequency, max(issue) as issue
      from forecast_series group by all) newest
  using (indicator, area, category, frequency, issue);
comment on view current_forecast is 'The newest issue of each series; empty for a series refused since';

create table if not exists forecast_benchmark (
    issue     bigint,
    issued    date,
    indicator varchar,
    area      varchar,
    category  varchar,
    frequency varchar,
    origin    date,
    benchmark varchar,
    season    double[],
    offsets   double[],
    lowest    double,
    scale     double
);
comment on table forecast_benchmark is 'What the benchmark said beside each issued forecast, from the data known then; rows are added and never changed';
comment on column forecast_benchmark.season is 'Values of the last season, oldest first: said again for each season ahead';
comment on column forecast_benchmark.offsets is 'Its band one season ahead, as distance from its path at the levels 0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975';
comment on column forecast_benchmark.lowest is 'Its band goes no lower; null where there is no bound';
comment on column forecast_benchmark.scale is 'Mean absolute change from season to season known then: the unit of MASE';

create table if not exists forecast_part (
    issue     bigint,
    issued    date,
    indicator varchar,
    area      varchar,
    category  varchar,
    frequency varchar,
    period    date,
    part      varchar,
    value     double,
    simulated boolean
);
comment on table forecast_part is 'What each issued forecast is made of: the parts of a period add up to its median; rows are added and never changed';
comment on column forecast_part.part is 'level, event, trend, season, rest, or a part of the calendar: tet, working_days, holidays';
comment on column forecast_part.value is 'What the part contributes, in the unit of the indicator';

create table if not exists forecast_earlier (
    issue     bigint,
    issued    date,
    indicator varchar,
    area      varchar,
    category  varchar,
    frequency varchar,
    origin    date,
    engine    varchar,
    dropped   integer[],
    horizon   integer,
    said      float[],
    simulated boolean
);
comment on table forecast_earlier is 'What the engine of each issue would have said from earlier origins, before anything is made to add up; rows are added and never changed';
comment on column forecast_earlier.engine is 'Hash of the code that made the issue';
comment on column forecast_earlier.dropped is 'By origin, how many of the last periods it does not know';
comment on column forecast_earlier.horizon is 'Periods ahead of each origin';
comment on column forecast_earlier.said is 'One value a period ahead, origin by origin; of periods known since, with weights that do not know the origin';

create table if not exists scored (
    scoring       bigint,
    scored_on     date,
    issue         bigint,
    issued        date,
    origin        date,
    indicator     varchar,
    area          varchar,
    level         varchar,
    category      varchar,
    frequency     varchar,
    period        date,
    period_end    date,
    horizon       integer,
    model         varchar,
    simulated     boolean,
    against       varchar,
    observed      double,
    status        varchar,
    said_on       date,
    expected      double,
    wis           double,
    covered_50    boolean,
    covered_80    boolean,
    covered_95    boolean,
    pit           double,
    scale         double,
    benchmark     double,
    benchmark_wis double
);
comment on table scored is 'Issued forecasts against what came: a row for each outcome first known, another when it is revised; rows are added and never changed';
comment on column scored.scoring is 'Number of the run that scored it, rising; the newest counts';
comment on column scored.against is 'latest: the figure that stood when it was scored; first: the figure first said, where it was another by then';
comment on column scored.observed is 'The outcome it was scored against';
comment on column scored.said_on is 'Vintage of that outcome: the day it was published';
comment on column scored.expected is 'Median of the forecast';
comment on column scored.wis is 'Weighted interval score, in the unit of the indicator; lower is better';
comment on column scored.covered_80 is 'Whether the outcome lies in the 80 % interval, bounds included';
comment on column scored.pit is 'Share of the forecast below the outcome, 0 to 1, straight between its quantiles';
comment on column scored.scale is 'Unit of MASE, from data known when it was issued';
comment on column scored.benchmark is 'What the benchmark said for the period, from data known when it was issued';
comment on column scored.benchmark_wis is 'Weighted interval score of the benchmark with its own band';

create or replace view standing_score as
select * from scored
where against = 'latest'
qualify row_number() over (
    partition by issue, indicator, area, category, frequency, period order by scoring desc) = 1;
comment on view standing_score is 'Each issued forecast against the newest figure it was scored against';

create or replace view first_score as
select * from scored
qualify row_number() over (
    partition by issue, indicator, area, category, frequency, period order by scoring, against = 'latest') = 1;
comment on view first_score is 'Each issued forecast against the figure first said';

create table if not exists replayed as
select *, null::varchar as level, null::varchar as known from forecast limit 0;
comment on table replayed is 'What today''s engine would have said on earlier days; never issued. The columns of forecast; a replay takes the place of the one before';
comment on column replayed.issued is 'The day that was replayed';
comment on column replayed.known is 'then: on the figures published by that day; now: on today''s figures up to that day, where earlier ones were not kept';

create table if not exists replayed_score as select *, null::varchar as known from scored limit 0;
comment on table replayed_score is 'Replayed forecasts against what came: the columns of scored, and known as in replayed';

create table if not exists alert (
    run        bigint,
    rung_on    date,
    alert      varchar,
    rule       varchar,
    simulated  boolean,
    subject    varchar,
    area       varchar,
    level      varchar,
    category   varchar,
    frequency  varchar,
    period     date,
    period_end date,
    since      date,
    surprise   double,
    value      double,
    expected   double,
    lower      double,
    upper      double,
    p_value    double,
    chance     double,
    bound      double,
    false_rate double,
    looked_at  bigint,
    detail     varchar
);
comment on table alert is 'What rang, with its figure as it stood then; rows are added and never changed';
comment on column alert.run is 'Number of the look in which it rang, rising';
comment on column alert.alert is 'Its name for good: rule, subject, area, category, frequency, period';
comment on column alert.subject is 'Indicator; of late data, the dataset';
comment on column alert.since is 'First day of what it speaks of';
comment on column alert.surprise is 'On the scale of a normal deviate; the largest are told first';
comment on column alert.lower is '2.5 % quantile of the forecast';
comment on column alert.upper is '97.5 % quantile of the forecast';
comment on column alert.chance is '0 to 1, that the bound will be crossed';
comment on column alert.false_rate is 'Share of the alerts of the look that is false, at most';
comment on column alert.looked_at is 'Series looked at together';
comment on column alert.detail is 'Name of the limit; kind of the drift';

create table if not exists alert_log (
    entry    bigint,
    noted_at timestamp,
    alert    varchar,
    event    varchar,
    who      varchar,
    text     varchar
);
comment on table alert_log is 'What became of each alert: who, when, what; rows are added and never changed';
comment on column alert_log.event is 'opened, sent, acknowledged, asked (an explanation, of the owner), explained, closed';
comment on column alert_log.who is 'The person who did it; of sent, the reader';

create table if not exists target_told (
    run        bigint,
    told_on    date,
    target     varchar,
    plan       varchar,
    asked      double,
    period_end date,
    chance     double,
    way        varchar,
    simulated  boolean
);
comment on table target_told is 'Chances of targets as they were told, a row where one changed; rows are added and never changed';
comment on column target_told.run is 'Number of the refresh that told it, rising';
comment on column target_told.asked is 'What the baseline asked for then';
comment on column target_told.period_end is 'Last day of the period in which it is to be reached';
comment on column target_told.chance is '0 to 1';
comment on column target_told.way is 'paths (of a forecast), pace (of past years), growth (as published)';

create table if not exists alert_replay (
    rule        varchar,
    simulated   boolean,
    replayed_on date,
    since       date,
    until       date,
    looks       bigint,
    outcomes    bigint,
    rung        bigint,
    decided     bigint,
    confirmed   bigint,
    days        double,
    base        double,
    false_rate  double
);
comment on table alert_replay is 'What each rule would have rung on history; a replay takes the place of the one before';
comment on column alert_replay.looks is 'Different days it would have looked on';
comment on column alert_replay.outcomes is 'Figures it would have looked at';
comment on column alert_replay.decided is 'Alerts of which is known what followed';
comment on column alert_replay.confirmed is 'Of these, the ones before a real excess';
comment on column alert_replay.days is 'Median days from the alert to the excess; below 0, the alert came after what it tells of';
comment on column alert_replay.base is 'Share of the figures without an alert that an excess followed; null where that was not asked';
