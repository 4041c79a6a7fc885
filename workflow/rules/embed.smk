# Only noise draws of which some run reads the similarities get an auto-encoder.
localrules:
    list_embeddings,


rule semantic_embedding:
    input:
        faces=FACES,
        labels="results/noise/{setting}/labels.parquet",
        vectors=rules.word_vectors.output.vectors,
    output:
        similarity="results/embed/{setting}/similarity.parquet",
        history="results/embed/{setting}/history.csv",
        summary="results/embed/{setting}/summary.json",
    log:
        "results/logs/semantic_embedding/{setting}.log",
    benchmark:
        "results/logs/semantic_embedding/{setting}.tsv"
    threads: SETTINGS.training.cpu_threads
    resources:
        gpu=GPU,
        mem_mb=6000,
        runtime=720,
    params:
        code=code_digest("semantic-embedding"),
        seed=lambda wildcards: parse_setting(wildcards.setting).seed,
        settings=step_settings("semantic-embedding"),
    message:
        "Tie the faces of {wildcards.setting} to the class words"
    shell:
        "OMP_NUM_THREADS={threads} FERCLEAN_CODE={params.code} python3 -m ferclean semantic-embedding "
        "--faces {input.faces} --labels {input.labels} "
        "--word-vectors {input.vectors} --output $(dirname {output.similarity}) "
        "--seed {params.seed} --params {params.settings:q} "
        "--device $([ {resources.gpu} -gt 0 ] && echo auto || echo cpu) > {log} 2>&1"


# DVC asks for an output even where no run of the grid needs an embedding.
rule list_embeddings:
    output:
        "results/embed/settings.txt",
    log:
        "results/logs/list_embeddings.log",
    benchmark:
        "results/logs/list_embeddings.tsv"
    resources:
        gpu=0,
        mem_mb=500,
        runtime=10,
    params:
        grid=config.get("grid"),
        settings=EMBEDDED,
    message:
        "List the noise draws with an auto-encoder"
    shell:
        "printf '%s\\n' {params.settings} > {output} 2> {log}"


rule all_embed:
    input:
        rules.list_embeddings.output,
        expand(rules.semantic_embedding.output, setting=EMBEDDED),
