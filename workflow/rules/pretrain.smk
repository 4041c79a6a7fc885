rule pretrain:
    input:
        faces=FACES,
        labels=training_labels,
        weights=files_of(files_below(SETTINGS.model.weights)),
        side=side_files,
    output:
        checkpoint="results/pretrain/{setting}/{method}/checkpoint.pt",
        history="results/pretrain/{setting}/{method}/history.csv",
        timing="results/pretrain/{setting}/{method}/timing.csv",
        predictions="results/pretrain/{setting}/{method}/predictions.npz",
    log:
        "results/logs/pretrain/{setting}/{method}.log",
    benchmark:
        "results/logs/pretrain/{setting}/{method}.tsv"
    threads: SETTINGS.training.cpu_threads * PROCESSES
    resources:
        gpu=GPU * PROCESSES,
        mem_mb=6000 * PROCESSES,
        runtime=720,
    params:
        each=SETTINGS.training.cpu_threads,
        code=code_digest("pretrain"),
        seed=lambda wildcards: parse_setting(wildcards.setting).seed,
        side=lambda w: side_input_options(w.method, w.setting),
        settings=lambda wildcards: step_settings("pretrain", wildcards.method),
    message:
        "Warm up {wildcards.setting}/{wildcards.method}"
    shell:
        "OMP_NUM_THREADS={params.each} FERCLEAN_CODE={params.code} python3 -m ferclean pretrain "
        "--faces {input.faces} --labels {input.labels} "
        "--output $(dirname {output.checkpoint}) --method {wildcards.method} "
        "--seed {params.seed} {params.side} --params {params.settings:q} "
        "--device $([ {resources.gpu} -gt 0 ] && echo auto || echo cpu) > {log} 2>&1"


rule all_pretrain:
    input:
        [expand(rules.pretrain.output, setting=s, method=m) for s, m in RUNS],
