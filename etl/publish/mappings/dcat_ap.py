"""The catalog of the portal in DCAT 3, profile DCAT-AP 3, as JSON-LD and as Turtle.

Addresses are relative to `catalog.jsonld` unless a base is given, so that the folder may be served
from anywhere. There are no blank nodes and everything is sorted: the same data give the same bytes.
Every entry used of a controlled vocabulary carries its type, because range shapes ask for it.
A dataset is its newest version, issued on the day of its oldest; every version that can still be
had is a dataset of its own, which the first one names with `dcat:hasVersion`.
"""

import hashlib
import json
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from rdflib import Graph, Literal, Namespace, URIRef
from rdflib.namespace import DCTERMS, FOAF, RDF, RDFS, SKOS, XSD

from etl.catalog import Catalog, Contributor, Theme
from etl.publish.archive import Version
from etl.publish.changes import sentence
from etl.publish.gate import LICENCES
from etl.publish.release import MEDIA_TYPES, DataFile, Place, Release
from etl.publish.shelf import Shelf

# Not the closed ones of rdflib: they do not know `dcat:version`.
DCAT = Namespace("http://www.w3.org/ns/dcat#")
ADMS = Namespace("http://www.w3.org/ns/adms#")
SPDX = Namespace("http://spdx.org/rdf/terms#")
VCARD = Namespace("http://www.w3.org/2006/vcard/ns#")
EU = Namespace("http://publications.europa.eu/resource/authority/")
IANA = Namespace("https://www.iana.org/assignments/media-types/")

CONTEXT = {
    "adms": str(ADMS),
    "dcat": str(DCAT),
    "dct": str(DCTERMS),
    "foaf": str(FOAF),
    "rdfs": str(RDFS),
    "skos": str(SKOS),
    "spdx": str(SPDX),
    "vcard": str(VCARD),
    "xsd": str(XSD),
}
THEMES: dict[Theme, tuple[str, str]] = {
    "AGRI": (
        "Nông nghiệp, thủy sản, lâm nghiệp, thực phẩm",
        "Agriculture, fisheries, forestry, food",
    ),
    "ECON": ("Kinh tế và tài chính", "Economy and finance"),
    "EDUC": ("Giáo dục, văn hóa, thể thao", "Education, culture and sport"),
    "ENER": ("Năng lượng", "Energy"),
    "ENVI": ("Môi trường", "Environment"),
    "GOVE": ("Chính quyền và khu vực công", "Government and public sector"),
    "HEAL": ("Y tế", "Health"),
    "INTR": ("Quốc tế", "International issues"),
    "JUST": ("Tư pháp, pháp luật, an toàn công cộng", "Justice, legal system and public safety"),
    "REGI": ("Vùng và đô thị", "Regions and cities"),
    "SOCI": ("Dân số và xã hội", "Population and society"),
    "TECH": ("Khoa học và công nghệ", "Science and technology"),
    "TRAN": ("Giao thông", "Transport"),
}
VIETNAMESE = EU["language/VIE"]
Versions = dict[str, list[Version]]
"""All versions there were, newest first, by dataset."""


FILES = {"catalog.jsonld": "DCAT-AP 3 (JSON-LD)", "catalog.ttl": "DCAT-AP 3 (Turtle)"}


def files(shelf: Shelf, base: str) -> dict[str, str]:
    """`catalog.jsonld` and `catalog.ttl`; `base` is the address of the folder, or empty."""
    versions = {name: history.versions for name, history in shelf.histories.items()}
    graph = catalog_graph(shelf.catalog, shelf.releases, versions, base=base)
    return {"catalog.jsonld": jsonld(graph), "catalog.ttl": turtle(graph)}


def catalog_graph(
    catalog: Catalog, releases: list[Release], versions: Versions, *, base: str = ""
) -> Graph:
    """The catalog of these releases; `base` ends in a stroke."""
    writer = _Writer(base)
    writer.catalog(catalog, releases, [one for every in versions.values() for one in every])
    for release in releases:
        writer.dataset(catalog, release, versions.get(release.dataset.name, []))
    return writer.graph


def jsonld(graph: Graph) -> str:
    """The graph as JSON-LD, in a fixed order."""
    text = graph.serialize(format="json-ld", context=CONTEXT, encoding="utf-8")
    return json.dumps(_sorted(json.loads(text)), ensure_ascii=False, indent=1) + "\n"


def turtle(graph: Graph) -> str:
    """The graph as Turtle; without blank nodes its order is fixed."""
    for prefix, address in CONTEXT.items():
        graph.bind(prefix, address)
    return str(graph.serialize(format="turtle"))


class _Writer:
    """A graph that grows, and where its nodes live."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.graph = Graph(bind_namespaces="none")

    def node(self, name: str) -> Any:
        return URIRef(f"{self.base}catalog.jsonld#{name}")

    def address(self, path: str) -> Any:
        return URIRef(f"{self.base}{path}")

    def say(self, subject: Any, kind: Any, facts: Iterable[tuple[Any, Any]]) -> Any:
        """Add `subject`, its type and its facts; facts without a value are left out."""
        self.graph.add((subject, RDF.type, kind))
        for predicate, value in facts:
            if value is not None:
                self.graph.add((subject, predicate, value))
        return subject

    def catalog(self, catalog: Catalog, releases: list[Release], versions: list[Version]) -> None:
        who = _publisher(catalog, releases)
        days = [release.modified for release in releases if release.modified]
        self.say(
            self.node("catalog"),
            DCAT.Catalog,
            [
                *_bilingual(DCTERMS.title, catalog.title, catalog.title_en),
                *_bilingual(
                    DCTERMS.description,
                    catalog.description or catalog.title,
                    catalog.description_en or catalog.title_en,
                ),
                (DCTERMS.identifier, Literal(catalog.name)),
                (DCTERMS.language, self.language()),
                (DCTERMS.publisher, self.agent(who) if who else None),
                (DCTERMS.modified, _day(max(days, default=None))),
                (DCTERMS.issued, _issued(versions)),
                (DCAT.themeTaxonomy, self.taxonomy()),
                (FOAF.homepage, self.say(self.address("index.html"), FOAF.Document, [])),
                *((DCAT.dataset, self.node(r.dataset.name)) for r in releases),
                *((DCTERMS.license, self.licence(name)) for name in _one_licence(releases)),
            ],
        )

    def dataset(self, catalog: Catalog, release: Release, versions: list[Version]) -> None:
        dataset = release.dataset
        its = [one for one in versions if one.version == release.version]
        self.say(
            self.node(dataset.name),
            DCAT.Dataset,
            [
                *_bilingual(DCTERMS.title, dataset.title, dataset.title_en),
                *_bilingual(
                    DCTERMS.description,
                    dataset.description or dataset.title,
                    dataset.description_en or dataset.title_en,
                ),
                (DCTERMS.identifier, Literal(f"{catalog.name}/{dataset.name}")),
                (DCAT.version, Literal(release.version)),
                (DCTERMS.publisher, self.agent(release.publisher)),
                (DCAT.contactPoint, self.contact(release.publisher)),
                (DCTERMS.language, self.language()),
                (DCTERMS.accessRights, self.access()),
                (DCTERMS.issued, _issued(versions)),
                (DCTERMS.modified, _day(release.modified)),
                (DCTERMS.temporal, self.span(release)),
                (FOAF.page, self.description(release)),
                (DCAT.landingPage, self.landing(release)),
                *(
                    (DCAT.hasVersion, self.version(release, one))
                    for one in versions
                    if one.state == "kept"
                ),
                *((DCTERMS.spatial, self.place(place)) for place in release.places),
                *((DCTERMS.provenance, p) for p in self.provenance(release)),
                *self.publication(release),
                *(
                    (DCAT.distribution, self.distribution(release, file, _issued(its)))
                    for file in release.files
                ),
            ],
        )

    def version(self, release: Release, version: Version) -> Any:
        """A dataset for itself: what the newest version was, or still is."""
        dataset = release.dataset
        name = f"{dataset.name}-v-{version.version}"
        return self.say(
            self.node(name),
            DCAT.Dataset,
            [
                *_bilingual(DCTERMS.title, dataset.title, dataset.title_en),
                *_bilingual(
                    DCTERMS.description,
                    dataset.description or dataset.title,
                    dataset.description_en or dataset.title_en,
                ),
                (DCAT.version, Literal(version.version)),
                (DCAT.isVersionOf, self.node(dataset.name)),
                (ADMS.versionNotes, Literal(sentence(version.changes), lang="vi")),
                (ADMS.versionNotes, Literal(sentence(version.changes, english=True), lang="en")),
                (DCTERMS.publisher, self.agent(release.publisher)),
                (DCTERMS.issued, _day(version.published)),
                (DCTERMS.modified, _day(version.modified)),
                *(
                    (DCAT.distribution, self.old_file(name, release, version, form))
                    for form in version.formats
                ),
            ],
        )

    def old_file(self, node: str, release: Release, version: Version, form: str) -> Any:
        where = self.address(f"{release.dataset.name}/v/{version.version}/data.{form}")
        return self.say(
            self.node(f"{node}-{form}"),
            DCAT.Distribution,
            [
                (DCTERMS.title, Literal(f"{release.dataset.title} ({form})", lang="vi")),
                (DCAT.accessURL, where),
                (DCAT.downloadURL, where),
                (DCTERMS.license, self.licence(release.licence)),
            ],
        )

    def landing(self, release: Release) -> Any:
        where = self.address(f"{release.dataset.name}/index.html")
        return self.say(where, FOAF.Document, [])

    def publication(self, release: Release) -> list[tuple[Any, Any]]:
        publish = release.dataset.publish
        if publish is None:
            raise AssertionError(f"{release.dataset.name} has not passed the gate")
        frequency = self.say(EU[f"frequency/{publish.frequency}"], DCTERMS.Frequency, [])
        return [
            (DCAT.theme, self.theme(publish.theme)),
            (DCTERMS.accrualPeriodicity, frequency),
            *((DCAT.keyword, Literal(word, lang="vi")) for word in publish.keywords),
        ]

    def distribution(self, release: Release, file: DataFile, issued: Any) -> Any:
        media_type = self.say(IANA[MEDIA_TYPES[file.format]], DCTERMS.MediaType, [])
        # The standard calls for `MediaTypeOrExtent`, of which a file type is one.
        file_type = EU[f"file-type/{file.format.upper()}"]
        where = self.address(f"{release.dataset.name}/{file.name}")
        return self.say(
            self.node(f"{release.dataset.name}-{file.format}"),
            DCAT.Distribution,
            [
                (DCTERMS.title, Literal(f"{release.dataset.title} ({file.format})", lang="vi")),
                (DCAT.accessURL, where),
                (DCAT.downloadURL, where),
                (DCAT.mediaType, media_type),
                (DCTERMS.format, self.say(file_type, DCTERMS.MediaTypeOrExtent, [])),
                (DCAT.byteSize, Literal(str(file.size), datatype=XSD.nonNegativeInteger)),
                (DCTERMS.license, self.licence(release.licence)),
                (DCTERMS.language, self.language()),
                (DCTERMS.issued, issued),
                (DCTERMS.modified, _day(release.modified)),
                (SPDX.checksum, self.checksum(release, file)),
            ],
        )

    def checksum(self, release: Release, file: DataFile) -> Any:
        algorithm = self.say(SPDX.checksumAlgorithm_sha256, SPDX.ChecksumAlgorithm, [])
        return self.say(
            self.node(f"{release.dataset.name}-{file.format}-checksum"),
            SPDX.Checksum,
            [
                (SPDX.algorithm, algorithm),
                (SPDX.checksumValue, Literal(file.sha256, datatype=XSD.hexBinary, normalize=False)),
            ],
        )

    def agent(self, who: Contributor) -> Any:
        return self.say(
            self.node(f"agent-{_short(who.title)}"),
            FOAF.Agent,
            [
                *_bilingual(FOAF.name, who.title, who.title_en),
                (FOAF.mbox, _mail(who)),
                (FOAF.homepage, self.document(who.path)),
            ],
        )

    def contact(self, who: Contributor) -> Any:
        return self.say(
            self.node(f"contact-{_short(who.title)}"),
            VCARD.Kind,
            [(VCARD.fn, Literal(who.title)), (VCARD.hasEmail, _mail(who))],
        )

    def document(self, address: str | None) -> Any:
        if not address or not address.startswith(("https://", "http://")):
            return None
        return self.say(URIRef(quote(address, safe=":/?#[]@!$&'()*+,;=%~")), FOAF.Document, [])

    def description(self, release: Release) -> Any:
        where = self.address(f"{release.dataset.name}/datapackage.json")
        return self.say(where, FOAF.Document, [])

    def span(self, release: Release) -> Any:
        if release.first is None or release.last is None:
            return None
        return self.say(
            self.node(f"{release.dataset.name}-period"),
            DCTERMS.PeriodOfTime,
            [(DCAT.startDate, _day(release.first)), (DCAT.endDate, _day(release.last))],
        )

    def place(self, place: Place) -> Any:
        nation = place.level == "nation"
        where = EU["country/VNM"] if nation else self.node(f"area-{place.code}")
        names = _bilingual(SKOS.prefLabel, place.name, place.name_en)
        if nation:
            names = _bilingual(SKOS.prefLabel, "Việt Nam", "Viet Nam")
        return self.say(where, DCTERMS.Location, names)

    def provenance(self, release: Release) -> list[Any]:
        titles = [source.title for source in release.dataset.sources if source.title]
        return [
            self.say(
                self.node(f"source-{_short(title)}"),
                DCTERMS.ProvenanceStatement,
                [(RDFS.label, Literal(title, lang="vi"))],
            )
            for title in titles
        ]

    def theme(self, theme: Theme) -> Any:
        names = _bilingual(SKOS.prefLabel, *THEMES[theme])
        return self.say(
            EU[f"data-theme/{theme}"], SKOS.Concept, [*names, (SKOS.inScheme, self.taxonomy())]
        )

    def taxonomy(self) -> Any:
        title = Literal("Data theme", lang="en")
        return self.say(EU["data-theme"], SKOS.ConceptScheme, [(DCTERMS.title, title)])

    def licence(self, name: str) -> Any:
        return self.say(
            URIRef(LICENCES[name][1]), DCTERMS.LicenseDocument, [(RDFS.label, Literal(name))]
        )

    def language(self) -> Any:
        return self.say(VIETNAMESE, DCTERMS.LinguisticSystem, [])

    def access(self) -> Any:
        return self.say(EU["access-right/PUBLIC"], DCTERMS.RightsStatement, [])


def _publisher(catalog: Catalog, releases: list[Release]) -> Contributor | None:
    own = next((who for who in catalog.contributors if "publisher" in who.roles), None)
    return own or next((release.publisher for release in releases), None)


def _one_licence(releases: list[Release]) -> list[str]:
    """The licence of the whole, where all releases share it."""
    names = {release.licence for release in releases}
    return list(names) if len(names) == 1 else []


def _bilingual(predicate: Any, vietnamese: str, english: str | None) -> list[tuple[Any, Any]]:
    said = [(predicate, Literal(vietnamese, lang="vi"))]
    if english:
        said.append((predicate, Literal(english, lang="en")))
    return said


def _day(day: Any) -> Any:
    return Literal(day.isoformat(), datatype=XSD.date) if day else None


def _issued(versions: list[Version]) -> Any:
    """The day on which the first of them was published."""
    return _day(min((one.published for one in versions), default=None))


def _mail(who: Contributor) -> Any:
    return URIRef(f"mailto:{quote(who.email, safe='@+')}") if who.email else None


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _sorted(content: Any) -> Any:
    """`content` with its keys and lists in a fixed order; no list here has one of its own."""
    if isinstance(content, dict):
        return {key: _sorted(content[key]) for key in sorted(content)}
    if isinstance(content, list):
        parts = [_sorted(part) for part in content]
        return sorted(parts, key=lambda part: json.dumps(part, ensure_ascii=False))
    return content
