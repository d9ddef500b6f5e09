-- Built from ranks and facts by publishing.

INSERT INTO layer_counts BY NAME
SELECT
    model,
    kind,
    seed,
    variant,
    layer,
    probe_set,
    relation,
    count(*) AS facts,
    count(*) FILTER (rank <= 1) AS right_1,
    count(*) FILTER (rank <= 10) AS right_10,
    count(*) FILTER (rank <= 100) AS right_100,
    sum(1 / rank) AS reciprocal_ranks,
    sum(1 / rank ** 2) AS squared_reciprocal_ranks,
    count(*) FILTER (filtered_rank <= 1) AS filtered_right_1,
    count(*) FILTER (filtered_rank <= 10) AS filtered_right_10,
    count(*) FILTER (filtered_rank <= 100) AS filtered_right_100,
    sum(1 / filtered_rank) AS filtered_reciprocal_ranks,
    sum(1 / filtered_rank ** 2) AS filtered_squared_reciprocal_ranks
FROM ranks
JOIN facts USING (fact)
GROUP BY ALL
ORDER BY ALL;

INSERT INTO best BY NAME
SELECT
    model,
    kind,
    seed,
    variant,
    fact,
    min(rank) AS rank,
    arg_min(layer, rank * 256 + layer) AS layer,
    min(filtered_rank) AS filtered_rank
FROM ranks
GROUP BY ALL
ORDER BY model, kind, seed, variant, fact;

INSERT INTO asked BY NAME
SELECT
    model,
    kind,
    seed,
    variant,
    probe_set,
    count(*) AS facts,
    bit_xor(hash(fact)) AS digest
FROM best
JOIN facts USING (fact)
GROUP BY ALL
ORDER BY ALL;
