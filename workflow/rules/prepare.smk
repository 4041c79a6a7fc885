# Both ask for as many threads as they can use; Snakemake gives no more than --cores.
rule ingest:
    input:
        data=RAW_DATA,
    output:
        samples="results/prepare/ingest/samples.parquet",
        pictures="results/prepare/ingest/pictures.arrow",
        quarantine="results/prepare/ingest/quarantine.csv",
        duplicates="results/prepare/ingest/duplicates.csv",
        conflicts="results/prepare/ingest/conflicts.csv",
        summary="results/prepare/ingest/summary.json",
    log:
        "results/logs/ingest.log",
    benchmark:
        "results/logs/ingest.tsv"
    threads: 4
    resources:
        gpu=0,
        mem_mb=4000,
        runtime=60,
    params:
        code=code_digest("ingest"),
        settings=step_settings("ingest"),
    message:
        "Read the data set"
    shell:
        "OMP_NUM_THREADS={threads} FERCLEAN_CODE={params.code} python3 -m ferclean ingest "
        "--output $(dirname {output.samples}) "
        "--params {params.settings:q} > {log} 2>&1"


rule align:
    input:
        samples=rules.ingest.output.samples,
        pictures=rules.ingest.output.pictures,
    output:
        faces=FACES,
        samples="results/prepare/align/samples.parquet",
        quarantine="results/prepare/align/quarantine.csv",
        summary="results/prepare/align/summary.json",
    log:
        "results/logs/align.log",
    benchmark:
        "results/logs/align.tsv"
    threads: 8
    resources:
        gpu=0,
        mem_mb=6000,
        runtime=240,
    params:
        code=code_digest("align"),
        settings=step_settings("align"),
    message:
        "Find, align and pack the faces"
    shell:
        "OMP_NUM_THREADS={threads} FERCLEAN_CODE={params.code} python3 -m ferclean align "
        "--samples {input.samples} --pictures {input.pictures} "
        "--output $(dirname {output.faces}) --params {params.settings:q} > {log} 2>&1"


rule all_prepare:
    input:
        rules.ingest.output,
        rules.align.output,
