"""The words of schema.org, which search engines read: in the page of each dataset, and as a whole.

Addresses are relative where the address of the portal is not known.
"""

import json
from typing import Any

from etl.publish.gate import LICENCES
from etl.publish.package import citation
from etl.publish.release import MEDIA_TYPES, Release
from etl.publish.shelf import Shelf

CONTEXT = "https://schema.org/"


FILES = {"datasets.jsonld": "schema.org"}


def files(shelf: Shelf, base: str) -> dict[str, str]:
    """`datasets.jsonld`: the portal as a `DataCatalog`."""
    catalog = shelf.catalog
    whole = {
        "@context": CONTEXT,
        "@type": "DataCatalog",
        "name": catalog.title,
        "alternateName": catalog.title_en,
        "description": catalog.description or catalog.title,
        "dataset": [dataset(release, base) for release in shelf.releases],
    }
    return {"datasets.jsonld": json.dumps(whole, ensure_ascii=False, indent=1) + "\n"}


def dataset(release: Release, base: str, *, up: str = "") -> dict[str, Any]:
    """One release as a `Dataset`; `up` leads from the page it stands in to the top."""
    entry = release.dataset
    folder = f"{base or up}{entry.name}/"
    span = f"{release.first}/{release.last}" if release.first and release.last else None
    found = {
        "@context": CONTEXT,
        "@type": "Dataset",
        "name": entry.title,
        "alternateName": entry.title_en,
        "description": entry.description or entry.title,
        "identifier": entry.name,
        "url": f"{folder}index.html",
        "version": release.version,
        "license": LICENCES[release.licence][0],
        "isAccessibleForFree": True,
        "inLanguage": "vi",
        "keywords": entry.publish.keywords if entry.publish else [],
        "creditText": citation(release, base=base),
        "creator": {"@type": "Organization", "name": release.publisher.title},
        "dateModified": release.modified.isoformat() if release.modified else None,
        "temporalCoverage": span,
        "spatialCoverage": [{"@type": "Place", "name": place.name} for place in release.places],
        "variableMeasured": [
            {key: value for key, value in _variable(field).items() if value}
            for field in release.fields
            if field["type"] in ("integer", "number")
        ],
        "distribution": [
            {
                "@type": "DataDownload",
                "contentUrl": f"{folder}{file.name}",
                "encodingFormat": MEDIA_TYPES[file.format],
                "contentSize": f"{file.size} B",
                "sha256": file.sha256,
            }
            for file in release.files
        ],
    }
    return {key: value for key, value in found.items() if value not in (None, [], "")}


def _variable(field: dict[str, Any]) -> dict[str, Any]:
    return {
        "@type": "PropertyValue",
        "name": field["name"],
        "description": field.get("title"),
        "unitText": field.get("unit"),
    }
