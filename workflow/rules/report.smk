localrules:
    report,
    cards,


rule report:
    input:
        lambda w: paths(
            rules.all_prepare.input
            + rules.all_noise.input
            + rules.all_semantics.input
            + rules.all_evaluate.input
        ),
        partitions=lambda w: expand(
            "results/denoise/{run}/round_{round}/partition.parquet",
            run=RUN_FOLDERS,
            round=ROUNDS,
        ),
    output:
        page=report(
            "results/report/index.html",
            caption="../report/page.rst",
            category="ferclean",
        ),
    log:
        "results/logs/report.log",
    benchmark:
        "results/logs/report.tsv"
    resources:
        gpu=0,
        mem_mb=4000,
        runtime=60,
    params:
        code=code_digest("report"),
        runs=[f"--run {run}" for run in RUN_FOLDERS],
        settings=step_settings("report"),
    message:
        "Write the report"
    shell:
        "OMP_NUM_THREADS={threads} FERCLEAN_CODE={params.code} python3 -m ferclean report "
        "--prepare results/prepare --noise results/noise "
        "--semantics results/semantics --denoise results/denoise "
        "--evaluations results/evaluate --summary results/summary {params.runs} "
        "--output {output.page} --params {params.settings:q} > {log} 2>&1"


rule cards:
    input:
        lambda w: paths(
            rules.all_prepare.input + rules.all_noise.input + rules.all_evaluate.input
        ),
    output:
        directory("results/cards"),
    log:
        "results/logs/cards.log",
    benchmark:
        "results/logs/cards.tsv"
    resources:
        gpu=0,
        mem_mb=2000,
        runtime=30,
    params:
        code=code_digest("cards"),
        runs=[f"--run {run}" for run in RUN_FOLDERS],
        settings=step_settings("cards"),
    message:
        "Write the cards of the data set and the models"
    shell:
        "OMP_NUM_THREADS={threads} FERCLEAN_CODE={params.code} python3 -m ferclean cards "
        "--prepare results/prepare --noise results/noise --evaluations results/evaluate "
        "--summary results/summary {params.runs} --output {output} "
        "--params {params.settings:q} > {log} 2>&1"


rule all_report:
    input:
        rules.report.output,
        rules.cards.output,
