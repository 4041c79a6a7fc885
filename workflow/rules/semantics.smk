rule word_vectors:
    input:
        words=WORD_FILES,
    output:
        vectors="results/semantics/word_vectors.csv",
        similarity="results/semantics/similarity.csv",
        picture="results/semantics/similarity.png",
        summary="results/semantics/summary.json",
    log:
        "results/logs/word_vectors.log",
    benchmark:
        "results/logs/word_vectors.tsv"
    resources:
        gpu=0,
        mem_mb=8000,
        runtime=60,
    params:
        code=code_digest("word-vectors"),
        settings=step_settings("word-vectors"),
    message:
        "Make vectors of the class words"
    shell:
        "OMP_NUM_THREADS={threads} FERCLEAN_CODE={params.code} python3 -m ferclean word-vectors "
        "--output $(dirname {output.vectors}) "
        "--params {params.settings:q} > {log} 2>&1"


rule all_semantics:
    input:
        rules.word_vectors.output,
