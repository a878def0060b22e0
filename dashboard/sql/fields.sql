-- Names of the fields of procedures.
select category, title, title_en, position from category where dataset = 'dossiers' order by position
