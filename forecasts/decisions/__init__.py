"""From forecasts to what has to be decided: data only, the words are the dashboard's."""
