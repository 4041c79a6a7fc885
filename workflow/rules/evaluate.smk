localrules:
    summarise,


rule evaluate:
    input:
        labels="results/noise/{setting}/labels.parquet",
        warm_up=[
            "results/pretrain/{setting}/{method}/history.csv",
            "results/pretrain/{setting}/{method}/timing.csv",
            "results/pretrain/{setting}/{method}/predictions.npz",
        ],
        tables=expand(
            "results/denoise/{{setting}}/{{method}}/round_{round}/{table}.parquet",
            round=ROUNDS,
            table=["partition", "labels"],
        ),
        curves=expand(
            "results/denoise/{{setting}}/{{method}}/round_{round}/{file}",
            round=ROUNDS[1:],
            file=["history.csv", "timing.csv", "predictions.npz"],
        ),
    output:
        metrics="results/evaluate/{setting}/{method}/metrics.json",
        epochs="results/evaluate/{setting}/{method}/epochs.csv",
        timing="results/evaluate/{setting}/{method}/timing.csv",
        rounds="results/evaluate/{setting}/{method}/rounds.csv",
        confusion="results/evaluate/{setting}/{method}/confusion.csv",
        calibration="results/evaluate/{setting}/{method}/calibration.csv",
        labels="results/evaluate/{setting}/{method}/labels.parquet",
        table="results/evaluate/{setting}/{method}/labels.csv",
    log:
        "results/logs/evaluate/{setting}/{method}.log",
    benchmark:
        "results/logs/evaluate/{setting}/{method}.tsv"
    resources:
        gpu=0,
        mem_mb=4000,
        runtime=60,
    params:
        code=code_digest("evaluate"),
        rounds=ROUNDS[-1],
        settings=step_settings("evaluate"),
    message:
        "Measure {wildcards.setting}/{wildcards.method}"
    shell:
        "OMP_NUM_THREADS={threads} FERCLEAN_CODE={params.code} python3 -m ferclean evaluate "
        "--labels {input.labels} "
        "--pretrain results/pretrain/{wildcards.setting}/{wildcards.method} "
        "--denoise results/denoise/{wildcards.setting}/{wildcards.method} "
        "--rounds {params.rounds} --output $(dirname {output.metrics}) "
        "--params {params.settings:q} > {log} 2>&1"


rule summarise:
    input:
        metrics=expand("results/evaluate/{run}/metrics.json", run=RUN_FOLDERS),
        epochs=expand("results/evaluate/{run}/epochs.csv", run=RUN_FOLDERS),
        timing=expand("results/evaluate/{run}/timing.csv", run=RUN_FOLDERS),
    output:
        metrics="results/summary/metrics.json",
        results="results/summary/results.csv",
        seeds="results/summary/seeds.csv",
        curves="results/summary/curves.csv",
        timing="results/summary/timing.csv",
    log:
        "results/logs/summarise.log",
    benchmark:
        "results/logs/summarise.tsv"
    resources:
        gpu=0,
        mem_mb=2000,
        runtime=30,
    params:
        code=code_digest("summarise"),
        runs=[f"--run {run}" for run in RUN_FOLDERS],
    message:
        "Put the runs side by side"
    shell:
        "OMP_NUM_THREADS={threads} FERCLEAN_CODE={params.code} python3 -m ferclean summarise "
        "--evaluations results/evaluate {params.runs} "
        "--output $(dirname {output.metrics}) > {log} 2>&1"


rule all_evaluate:
    input:
        [expand(rules.evaluate.output, setting=s, method=m) for s, m in RUNS],
        rules.summarise.output,
