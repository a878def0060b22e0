"""How good the forecasts are beside those of others, on the same series in the same run."""
