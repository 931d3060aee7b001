"""The job with DuckDB: value_duckdb.py CATALOGUE LOOKUPS OUTPUT"""

import sys

import duckdb

catalogue, lookups, output = sys.argv[1:]
TEXTS = "full_name pdes name class neo pha spec_B spec_T condition_code".split()
FIGURES = "H albedo diameter GM e a q ad i om w ma epoch per moid".split()
types = {"spkid": "BIGINT"} | dict.fromkeys(TEXTS, "VARCHAR") | dict.fromkeys(FIGURES, "DOUBLE")
columns = ", ".join(types).replace("GM", "GM AS given_gm")

database = duckdb.connect()
# Lines may come in any order, which lets DuckDB write them as they are ready.
database.execute("SET preserve_insertion_order = false")
for name in ("delta-v", "masses", "known", "tholen", "compositions"):
    database.execute(f"CREATE TABLE \"{name}\" AS FROM read_csv('{lookups}/{name}.csv', header = true)")
database.execute(
    """
    CREATE MACRO root(x) AS sqrt(greatest(x, 0.0));
    CREATE MACRO f(k, x) AS 1 / (1 + exp(k * x));
    -- Benner's equations, of axis, eccentricity, aphelion and the cosine of half the inclination.
    CREATE MACRO outer_axis(ad) AS 2 / (ad + 1);
    CREATE MACRO u_t2(a, ad, c) AS CASE WHEN a < 1 THEN 2 - 2 * c * root(2 * ad - ad * ad)
        ELSE 3 - outer_axis(ad) - 2 * c * root(outer_axis(ad) * ad) END;
    CREATE MACRO u_c2(a, ad, c) AS CASE WHEN a < 1 THEN 3 / ad - 1 - 2 / ad * root(2 - ad)
        ELSE 3 / ad - outer_axis(ad) - 2 / ad * c * root(outer_axis(ad)) END;
    CREATE MACRO u_r2(a, e, ad, c) AS 3 / ad - 1 / a - 2 / ad * c * root(a * (1 - e * e) / ad);
    CREATE MACRO delta_v(a, e, ad, c, is_amor) AS 30 * (
        root(u_t2(a, ad, c) + 2 * (7.727e0 / 29.784) ** 2) - 7.727e0 / 29.784
        + abs(root(u_c2(a, ad, if(is_amor, c, 1))) - root(u_r2(a, e, ad, if(is_amor, 1, c))))) + 0.5;
    """
)

QUERY = f"""
WITH catalogue AS (
    SELECT {columns} FROM read_csv('{catalogue}', header = true, types = {types})
), bodies AS (
    SELECT * REPLACE (trim(full_name) AS full_name, nullif(name, '') AS name),
        class IN ('COM', 'CTc', 'ETc', 'HTC', 'HYP', 'JFc', 'JFC', 'PAR') AS is_comet,
        nullif(replace(replace(trim(spec_B, ': '), ':', ''), 'C type', 'C'), '') AS own_type,
        regexp_extract(full_name, '\\([^(]*\\)$') AS alias,
        cos(radians(i) / 2) AS c,
        coalesce(a, if(e < 1, q / (1 - e), NULL)) AS full_a,
        coalesce(q, if(e < 1, full_a * (1 - e), NULL)) AS full_q,
        coalesce(ad, if(e < 1, full_a * (1 + e), NULL)) AS full_ad
    FROM catalogue
), merged AS (
    SELECT bodies.*,
        tholen_spec AS tholen_type,
        coalesce(k1.known_spec, k2.known_spec, k3.known_spec) AS known_type,
        coalesce(own_type, tholen_type, known_type, if(is_comet, 'comet', '?')) AS spec,
        spec <> 'comet' AS is_valued,
        coalesce(d1.listed_dv, d2.listed_dv) AS listed,
        coalesce(listed, if(full_a > 0 AND e < 1, delta_v(full_a, e, full_a * (1 + e), c,
            full_a >= 1 AND full_a * (1 - e) > 1), NULL)) AS dv_kms,
        coalesce(dv_kms, 12) AS dv,
        coalesce(m1.published_mass, m2.published_mass) AS published,
        coalesce(given_gm, published * 6.673e-20) AS gm,
        coalesce(diameter, 1329 / sqrt(coalesce(albedo, 0.15)) * 10 ** (-0.2 * H)) AS diameter_km
    FROM bodies
    LEFT JOIN "delta-v" d1 ON d1.key = pdes LEFT JOIN "delta-v" d2 ON d2.key = alias
    LEFT JOIN masses m1 ON m1.key = pdes LEFT JOIN masses m2 ON m2.key = alias
    LEFT JOIN known k1 ON k1.key = pdes LEFT JOIN known k2 ON k2.key = alias LEFT JOIN known k3 ON k3.key = name
    LEFT JOIN tholen ON tholen.spec_T = trim(bodies.spec_T)
), valued AS (
    SELECT merged.*,
        CASE WHEN gm IS NOT NULL THEN gm / 6.673e-20 * if(gm / 6.673e-20 > 1e18, 1e-6, 1)
            WHEN is_valued THEN
                coalesce(4e0 / 3 * pi() * (diameter_km / 2) ** 3 * coalesce(density, 2) / 6 * 1e15, 1.47e15)
        END AS mass_kg,
        mass_kg * coalesce(price_per_kg, 0) AS price,
        mass_kg * (coalesce(saved_per_kg, 0) - 2200e0 / 3) * 1e-5 AS saved,
        if(coalesce(full_ad <= 50, false) AND full_a IS NOT NULL AND full_q IS NOT NULL,
            (f(0.9, full_ad) + f(0.45, full_a) + f(0.9, full_q) + 50 * (1 + f(1, 1.3 * dv - 6)) + 1) ** 2,
            -1) AS closeness,
        least(price, 1e10) / 5e11 AS score
    FROM merged LEFT JOIN compositions USING (spec)
)
SELECT pdes AS designation, spkid, full_name, name, if(is_comet, 'comet', 'asteroid') AS kind, class,
    neo = 'Y' AS neo, pha = 'Y' AS pha, spec,
    CASE WHEN own_type IS NOT NULL THEN 'spec_B' WHEN tholen_type IS NOT NULL THEN 'spec_T'
        WHEN known_type IS NOT NULL THEN 'known-body' END AS spec_source,
    H AS h, albedo, diameter_km,
    CASE WHEN diameter IS NOT NULL THEN 'measured' WHEN diameter_km IS NOT NULL THEN 'from-h' END AS diameter_source,
    gm, mass_kg,
    CASE WHEN given_gm IS NOT NULL THEN 'gm' WHEN published IS NOT NULL THEN 'published'
        WHEN NOT is_valued THEN NULL WHEN diameter_km IS NOT NULL THEN 'from-diameter' ELSE 'default'
        END AS mass_source,
    dv_kms,
    CASE WHEN listed IS NOT NULL THEN 'benner' WHEN dv_kms IS NOT NULL THEN 'computed' END AS dv_source,
    a, e, i, om, w, ma, epoch, q, ad, per, moid, condition_code,
    if(is_valued, price, -1) AS price, if(is_valued, saved, -1e-5) AS saved, if(is_valued, closeness, -1) AS closeness,
    if(is_valued, price / 12 * closeness / 3417.5490736698116 * (12 / dv), -1) AS profit,
    if(is_valued, score + if(score > 1e-4, closeness / 20, 0), -2e-12) AS score
FROM valued
"""
database.execute(f"COPY ({QUERY}) TO '{output}' (FORMAT json, USE_TMP_FILE false)")
