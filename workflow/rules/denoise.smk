# Rounds are unrolled: partition scores and repairs the labels by the checkpoint of its round, and
# training round r starts from everything that round r-1 left.


rule partition:
    input:
        faces=FACES,
        labels=training_labels,
        checkpoint=lambda w: checkpoint_of(w.setting, w.method, int(w.round)),
        side=side_files,
    output:
        partition="results/denoise/{setting}/{method}/round_{round}/partition.parquet",
        labels="results/denoise/{setting}/{method}/round_{round}/labels.parquet",
    log:
        "results/logs/partition/{setting}/{method}/round_{round}.log",
    benchmark:
        "results/logs/partition/{setting}/{method}/round_{round}.tsv"
    threads: SETTINGS.training.cpu_threads
    resources:
        gpu=GPU,
        mem_mb=6000,
        runtime=120,
    params:
        code=code_digest("partition"),
        seed=lambda wildcards: parse_setting(wildcards.setting).seed,
        side=lambda w: side_input_options(w.method, w.setting),
        settings=lambda wildcards: step_settings("partition", wildcards.method),
    message:
        "Score and repair the labels of {wildcards.setting}/{wildcards.method}, round {wildcards.round}"
    shell:
        "OMP_NUM_THREADS={threads} FERCLEAN_CODE={params.code} python3 -m ferclean partition "
        "--faces {input.faces} --labels {input.labels} "
        "--checkpoint {input.checkpoint} --output $(dirname {output.partition}) "
        "--method {wildcards.method} "
        "--seed {params.seed} {params.side} --params {params.settings:q} "
        "--device $([ {resources.gpu} -gt 0 ] && echo auto || echo cpu) > {log} 2>&1"


rule train:
    input:
        faces=FACES,
        labels=training_labels,
        checkpoint=lambda w: checkpoint_of(w.setting, w.method, int(w.round) - 1),
        partition=lambda wildcards: f"{previous(wildcards)}/partition.parquet",
        relabelled=lambda wildcards: f"{previous(wildcards)}/labels.parquet",
        side=side_files,
    output:
        checkpoint="results/denoise/{setting}/{method}/round_{round}/checkpoint.pt",
        history="results/denoise/{setting}/{method}/round_{round}/history.csv",
        timing="results/denoise/{setting}/{method}/round_{round}/timing.csv",
        predictions="results/denoise/{setting}/{method}/round_{round}/predictions.npz",
    log:
        "results/logs/train/{setting}/{method}/round_{round}.log",
    benchmark:
        "results/logs/train/{setting}/{method}/round_{round}.tsv"
    threads: SETTINGS.training.cpu_threads * PROCESSES
    resources:
        gpu=GPU * PROCESSES,
        mem_mb=6000 * PROCESSES,
        runtime=720,
    params:
        each=SETTINGS.training.cpu_threads,
        code=code_digest("train"),
        seed=lambda wildcards: parse_setting(wildcards.setting).seed,
        side=lambda w: side_input_options(w.method, w.setting),
        settings=lambda wildcards: step_settings("train", wildcards.method),
    message:
        "Train {wildcards.setting}/{wildcards.method}, round {wildcards.round}"
    shell:
        "OMP_NUM_THREADS={params.each} FERCLEAN_CODE={params.code} python3 -m ferclean train "
        "--faces {input.faces} --labels {input.labels} "
        "--checkpoint {input.checkpoint} --partition {input.partition} "
        "--relabelled {input.relabelled} --output $(dirname {output.checkpoint}) "
        "--method {wildcards.method} --round-number {wildcards.round} "
        "--seed {params.seed} {params.side} --params {params.settings:q} "
        "--device $([ {resources.gpu} -gt 0 ] && echo auto || echo cpu) > {log} 2>&1"


rule all_denoise:
    input:
        [
            expand(rules.partition.output, setting=s, method=m, round=ROUNDS)
            for s, m in RUNS
        ],
        [
            expand(rules.train.output, setting=s, method=m, round=ROUNDS[1:])
            for s, m in RUNS
        ],
