"""The job with pandas: value_pandas.py CATALOGUE LOOKUPS OUTPUT"""

import sys

import numpy as np
import pandas as pd

COMET_CLASSES = ["COM", "CTc", "ETc", "HTC", "HYP", "JFc", "JFC", "PAR"]
TEXTS = "full_name pdes name class neo pha spec_B spec_T condition_code".split()
FIGURES = "H albedo diameter GM e a q ad i om w ma epoch per moid".split()
G = 6.673e-20
PARKING = 7.727 / 29.784

catalogue, lookups, output = sys.argv[1:]


def lookup(name):
    table = pd.read_csv(f"{lookups}/{name}.csv", index_col=0, dtype={0: str})
    return table.set_axis(table.index.astype(str)).squeeze(axis=1)


def root(x):
    return np.sqrt(np.maximum(x, 0))


def delta_v(a, e, i):
    """Benner's equations."""
    c, ad = np.cos(np.radians(i) / 2), a * (1 + e)
    is_aten, is_amor = a < 1, (a >= 1) & (a * (1 - e) > 1)
    axis = 2 / (ad + 1)
    u_t2 = np.where(is_aten, 2 - 2 * c * root(2 * ad - ad * ad), 3 - axis - 2 * c * root(axis * ad))
    u_c2 = np.where(
        is_aten,
        3 / ad - 1 - 2 / ad * root(2 - ad),
        3 / ad - axis - 2 / ad * np.where(is_amor, c, 1) * root(axis),
    )
    u_r2 = 3 / ad - 1 / a - 2 / ad * np.where(is_amor, 1, c) * root(a * (1 - e * e) / ad)
    speed = root(u_t2 + 2 * PARKING**2) - PARKING + abs(root(u_c2) - root(u_r2))
    return (30 * speed + 0.5).where((a > 0) & (e < 1))


def f(k, x):
    return 1 / (1 + np.exp(k * x))


def source(*cases):
    """The first word whose condition holds, else nothing."""
    conditions, words = zip(*cases)
    return np.select(conditions, [np.array(word, dtype=object) for word in words], default=None)


table = pd.read_csv(
    catalogue,
    usecols=["spkid", *TEXTS, *FIGURES],
    dtype={"spkid": "int64"} | dict.fromkeys(TEXTS, "str") | dict.fromkeys(FIGURES, "float64"),
    engine="pyarrow",
)
table["full_name"] = table.full_name.str.strip(" ")
alias = table.full_name.str.extract(r"(\([^(]*\))$", expand=False)
is_comet = table["class"].isin(COMET_CLASSES)

e, is_ellipse = table.e, table.e < 1
a = table.a.fillna((table.q / (1 - e)).where(is_ellipse))
q = table.q.fillna((a * (1 - e)).where(is_ellipse))
ad = table.ad.fillna((a * (1 + e)).where(is_ellipse))

known, tholen, compositions = lookup("known"), lookup("tholen"), lookup("compositions")
spec_b = table.spec_B.str.strip(": ").str.replace(":", "", regex=False).replace({"C type": "C", "": None})
spec_t = table.spec_T.str.strip(" ").map(tholen)
known_type = table.pdes.map(known).fillna(alias.map(known)).fillna(table.name.map(known))
spec = spec_b.fillna(spec_t).fillna(known_type).fillna(pd.Series(np.where(is_comet, "comet", "?")))
is_valued = spec != "comet"

listed_dv, published_mass = lookup("delta-v"), lookup("masses")
listed = table.pdes.map(listed_dv).fillna(alias.map(listed_dv))
published = table.pdes.map(published_mass).fillna(alias.map(published_mass))
dv_kms = listed.fillna(delta_v(a, e, table.i))
diameter = table.diameter.fillna(1329 / np.sqrt(table.albedo.fillna(0.15)) * 10 ** (-0.2 * table.H))

gm = table.GM.fillna(published * G)
gm_mass = (gm / G).where(gm / G <= 1e18, gm / G * 1e-6)
density = spec.map(compositions.density).fillna(2)
diameter_mass = 4 / 3 * np.pi * (diameter / 2) ** 3 * density / 6 * 1e15
mass = gm_mass.fillna(diameter_mass.fillna(1.47e15).where(is_valued))

dv = dv_kms.fillna(12)
price = mass * spec.map(compositions.price_per_kg).fillna(0)
saved = mass * (spec.map(compositions.saved_per_kg).fillna(0) - 2200 / 3) * 1e-5
reach = 50 * (1 + f(1, 1.3 * dv - 6))
closeness = ((f(0.9, ad) + f(0.45, a) + f(0.9, q) + reach + 1) ** 2).where(ad <= 50).fillna(-1)
score = price.clip(upper=1e10) / 5e11

items = pd.DataFrame(
    {
        "designation": table.pdes,
        "spkid": table.spkid,
        "full_name": table.full_name,
        "name": table.name,
        "kind": np.where(is_comet, "comet", "asteroid"),
        "class": table["class"],
        "neo": table.neo.map({"Y": True, "N": False}),
        "pha": table.pha.map({"Y": True, "N": False}),
        "spec": spec,
        "spec_source": source(
            (spec_b.notna(), "spec_B"),
            (spec_t.notna(), "spec_T"),
            (known_type.notna(), "known-body"),
        ),
        "h": table.H,
        "albedo": table.albedo,
        "diameter_km": diameter,
        "diameter_source": source((table.diameter.notna(), "measured"), (diameter.notna(), "from-h")),
        "gm": gm,
        "mass_kg": mass,
        "mass_source": source(
            (table.GM.notna(), "gm"),
            (published.notna(), "published"),
            (~is_valued, None),
            (diameter.notna(), "from-diameter"),
            (is_valued, "default"),
        ),
        "dv_kms": dv_kms,
        "dv_source": source((listed.notna(), "benner"), (dv_kms.notna(), "computed")),
        **table[["a", "e", "i", "om", "w", "ma", "epoch", "q", "ad", "per", "moid", "condition_code"]],
        "price": price.where(is_valued, -1),
        "saved": saved.where(is_valued, -1e-5),
        "closeness": closeness.where(is_valued, -1),
        "profit": (price / 12 * closeness / 3417.5490736698116 * (12 / dv)).where(is_valued, -1),
        "score": (score + np.where(score > 1e-4, closeness / 20, 0)).where(is_valued, -2e-12),
    }
)
items.to_json(output, orient="records", lines=True, double_precision=15)
