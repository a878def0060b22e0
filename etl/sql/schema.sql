-- Every table of the warehouse. A comment on each column; the data page and the published dictionary read them.
-- Case-level tables (`case_<dataset>`) are made from the catalog and never leave the warehouse.

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
    load_key   varchar
);
comment on table load is 'One row per file of each load: what came in and what became of it';
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
    tile_col       integer
);
comment on table area is 'Every area with its validity; the key is (code, area_vintage), because codes are recycled';
comment on column area.area_vintage is 'First day on which the code means this area';
comment on column area.valid_to is 'Last day; null while it lasts';
comment on column area.level is 'nation, city, former_province, district or commune';

create table if not exists crosswalk (
    old_code     varchar,
    old_vintage  date,
    new_code     varchar,
    weight       double,
    weight_lower double,
    weight_upper double,
    estimated    boolean
);
comment on table crosswalk is 'Share of each former area that each present commune took over';

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
    position    integer
);
comment on table indicator is 'What is measured, in what unit, and how it adds up';
comment on column indicator.dataset is 'The dataset that describes it';
comment on column indicator.aggregate is 'Over time: sum (a flow), last (a stock), rate (never added up)';
comment on column indicator.better is 'up, down or none: the direction that is good';
comment on column indicator.numerator is 'For a rate: indicator above the line, where it is computed';
comment on column indicator.position is 'Order in the catalog';

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
    as_of           date
);
comment on table observation is 'Every figure as its source gave it: all vintages, on the boundaries of its day';
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

create or replace view current_observation as
select * from observation
qualify row_number() over (
    partition by indicator, area, area_vintage, category, frequency, period, period_end, status = 'plan'
    order by as_of desc nulls last,
             case status when 'final' then 0 when 'preliminary' then 1 when 'estimate' then 2 else 3 end,
             source
) = 1;
comment on view current_observation is 'The newest vintage of each figure; plans beside outcomes';

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
