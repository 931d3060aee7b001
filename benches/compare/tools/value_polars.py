"""The job with polars, its streaming engine: value_polars.py CATALOGUE LOOKUPS OUTPUT"""

import math
import sys

import polars as pl
from polars import col, lit, when

COMET_CLASSES = ["COM", "CTc", "ETc", "HTC", "HYP", "JFc", "JFC", "PAR"]
TEXTS = "full_name pdes name class neo pha spec_B spec_T condition_code".split()
FIGURES = "H albedo diameter GM e a q ad i om w ma epoch per moid".split()
G = 6.673e-20
PARKING = 7.727 / 29.784

catalogue, lookups, output = sys.argv[1:]


def lookup(name, **options):
    return pl.scan_csv(f"{lookups}/{name}.csv", **options)


def mapping(name):
    return dict(lookup(name).collect().iter_rows())


def root(x):
    return pl.max_horizontal(x, 0.0).sqrt()


def delta_v():
    """Benner's equations."""
    a, e, c = col("full_a"), col("e"), (col("i") * (math.pi / 180) / 2).cos()
    ad = a * (1 + e)
    is_aten, is_amor = a < 1, (a >= 1) & (a * (1 - e) > 1)
    axis = 2 / (ad + 1)
    u_t2 = when(is_aten).then(2 - 2 * c * root(2 * ad - ad * ad)).otherwise(3 - axis - 2 * c * root(axis * ad))
    u_c2 = (
        when(is_aten)
        .then(3 / ad - 1 - 2 / ad * root(2 - ad))
        .otherwise(3 / ad - axis - 2 / ad * when(is_amor).then(c).otherwise(1) * root(axis))
    )
    u_r2 = 3 / ad - 1 / a - 2 / ad * when(is_amor).then(1).otherwise(c) * root(a * (1 - e * e) / ad)
    speed = root(u_t2 + 2 * PARKING**2) - PARKING + (root(u_c2) - root(u_r2)).abs()
    return when((a > 0) & (e < 1)).then(30 * speed + 0.5)


def f(k, x):
    return 1 / (1 + (k * x).exp())


def asteroid(value, comet):
    return when(col("is_valued")).then(value).otherwise(comet)


rows = pl.scan_csv(
    catalogue,
    schema_overrides={"spkid": pl.Int64} | {c: pl.String for c in TEXTS} | {c: pl.Float64 for c in FIGURES},
    infer_schema_length=0,
).select("spkid", *TEXTS, *FIGURES)

is_ellipse = col("e") < 1
rows = rows.with_columns(
    full_name=col("full_name").str.strip_chars(" "),
    is_comet=col("class").is_in(COMET_CLASSES),
    full_a=pl.coalesce("a", when(is_ellipse).then(col("q") / (1 - col("e")))),
).with_columns(
    alias=col("full_name").str.extract(r"(\([^(]*\))$"),
    full_q=pl.coalesce("q", when(is_ellipse).then(col("full_a") * (1 - col("e")))),
    full_ad=pl.coalesce("ad", when(is_ellipse).then(col("full_a") * (1 + col("e")))),
)

dv, masses = (lookup(name, schema_overrides={"key": pl.String}) for name in ("delta-v", "masses"))
rows = (
    rows.join(dv, how="left", left_on="pdes", right_on="key")
    .join(dv, how="left", left_on="alias", right_on="key", suffix="_alias")
    .join(masses, how="left", left_on="pdes", right_on="key")
    .join(masses, how="left", left_on="alias", right_on="key", suffix="_alias")
)

known, tholen = mapping("known"), mapping("tholen")
rows = rows.with_columns(
    spec_b=col("spec_B")
    .str.strip_chars(": ")
    .str.replace_all(":", "", literal=True)
    .replace({"C type": "C", "": None}),
    spec_t=col("spec_T").str.strip_chars(" ").replace_strict(tholen, default=None),
    known=pl.coalesce(col(c).replace_strict(known, default=None) for c in ("pdes", "alias", "name")),
    listed=pl.coalesce("listed_dv", "listed_dv_alias"),
    published=pl.coalesce("published_mass", "published_mass_alias"),
).with_columns(
    spec=pl.coalesce("spec_b", "spec_t", "known", when("is_comet").then(lit("comet")).otherwise(lit("?"))),
    dv_kms=pl.coalesce(col("listed"), delta_v()),
    diameter_km=pl.coalesce(col("diameter"), 1329 / col("albedo").fill_null(0.15).sqrt() * 10 ** (-0.2 * col("H"))),
    gm=pl.coalesce(col("GM"), col("published") * G),
)

nothing = {"price_per_kg": 0.0, "saved_per_kg": 0.0, "density": 2.0}
rows = rows.join(lookup("compositions"), how="left", on="spec").with_columns(
    col(c).fill_null(value) for c, value in nothing.items()
)

gm_mass = col("gm") / G
diameter_mass = 4 / 3 * math.pi * (col("diameter_km") / 2) ** 3 * col("density") / 6 * 1e15
rows = rows.with_columns(
    is_valued=col("spec") != "comet",
    mass_kg=when(col("gm").is_not_null())
    .then(when(gm_mass > 1e18).then(gm_mass * 1e-6).otherwise(gm_mass))
    .when(col("spec") != "comet")
    .then(diameter_mass.fill_null(1.47e15)),
    dv=col("dv_kms").fill_null(12.0),
)
reach = 50 * (1 + f(1, 1.3 * col("dv") - 6))
closeness = (f(0.9, col("full_ad")) + f(0.45, col("full_a")) + f(0.9, col("full_q")) + reach + 1) ** 2
rows = rows.with_columns(
    price=asteroid(col("mass_kg") * col("price_per_kg"), -1.0),
    closeness=asteroid(when(col("full_ad") <= 50).then(closeness).otherwise(-1.0).fill_null(-1.0), -1.0),
)
score = pl.min_horizontal("price", 1e10) / 5e11

rows.select(
    "spkid", "full_name", "name", "class", "spec", "albedo", "diameter_km", "gm", "mass_kg", "dv_kms",
    "a", "e", "i", "om", "w", "ma", "epoch", "q", "ad", "per", "moid", "condition_code", "price", "closeness",
    designation="pdes",
    kind=when("is_comet").then(lit("comet")).otherwise(lit("asteroid")),
    neo=col("neo") == "Y",
    pha=col("pha") == "Y",
    h="H",
    spec_source=when(col("spec_b").is_not_null()).then(lit("spec_B"))
    .when(col("spec_t").is_not_null()).then(lit("spec_T"))
    .when(col("known").is_not_null()).then(lit("known-body")),
    diameter_source=when(col("diameter").is_not_null()).then(lit("measured"))
    .when(col("diameter_km").is_not_null()).then(lit("from-h")),
    mass_source=when(col("GM").is_not_null()).then(lit("gm"))
    .when(col("gm").is_not_null()).then(lit("published"))
    .when(~col("is_valued")).then(None)
    .when(col("diameter_km").is_not_null()).then(lit("from-diameter"))
    .otherwise(lit("default")),
    dv_source=when(col("listed").is_not_null()).then(lit("benner"))
    .when(col("dv_kms").is_not_null()).then(lit("computed")),
    saved=asteroid(col("mass_kg") * (col("saved_per_kg") - 2200 / 3) * 1e-5, -1e-5),
    profit=asteroid(col("price") / 12 * col("closeness") / 3417.5490736698116 * (12 / col("dv")), -1.0),
    score=asteroid(score + when(score > 1e-4).then(col("closeness") / 20).otherwise(0.0), -2e-12),
).sink_ndjson(output, engine="streaming")
