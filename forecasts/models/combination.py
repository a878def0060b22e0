"""The weighted mean of the members, each weighted by how well it did (`forecasts.weights`)."""

from forecasts.model import Model

MODEL = Model(title="Kết hợp các mô hình", title_en="Combination of models", member=False)
